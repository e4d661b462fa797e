package proxy

import (
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/google/uuid"
	"go.uber.org/zap"
)

// sweepInterval is how often the registry looks for nodes whose heartbeats have stopped. It is
// the delay of the log only: /cluster and collections derive a node's status when they need it.
const sweepInterval = 500 * time.Millisecond

type registrationStream = stream[*wire.RegisterAgentResponse]

// registry is the actor that knows the nodes. The sessions are its children.
type registry struct {
	sys      *actors.System
	cfg      Config
	log      *zap.Logger
	state    *registryState
	sessions map[string]*sessionEntry // by agent id, until the session's actor has stopped
	byPID    map[string]string        // the actor's id -> agent id
	byKey    map[keyHash]string       // the hash of a session's key -> agent id
	collects map[string]*actors.PID   // the collect actors that live, by their id
	sweep    actors.Timer
	stopping bool // the sessions stop too; their ends are not logged
	closing  *closing
}

// closing is an unanswered endSessions.
type closing struct {
	sender *actors.PID
	count  int // sessions that lived when it came
}

type sessionEntry struct {
	pid        *actors.PID
	stream     actors.StreamID
	key        keyHash
	connection uint64 // on which all streams of the session must be opened
	accepted   acceptedCredentials
}

func newRegistry(sys *actors.System, cfg Config) *registry {
	state := newRegistryState(cfg.Limits)
	state.nodeIDFrom, state.verifies = cfg.Credentials.NodeIDFrom, cfg.Credentials.asked()
	return &registry{sys: sys, cfg: cfg, log: sys.Log().Named("registry"), state: state,
		sessions: map[string]*sessionEntry{}, byPID: map[string]string{}, byKey: map[keyHash]string{}, collects: map[string]*actors.PID{}}
}

func (r *registry) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		r.sweep.Arm(c, sweepInterval)
	case *actors.Stopping:
		r.stopping = true
		r.sweep.Disarm()
	case *actors.Restarting:
		r.sweep.Disarm()
	case *actors.Stopped:
	case *actors.Terminated:
		r.onGone(m)
	case admit:
		r.onAdmit(c, m)
	case checkAdmission:
		r.onCheckAdmission(c, m)
	case abandoned:
		r.onAbandoned(m)
	case heartbeat:
		r.onHeartbeat(c, m)
	case sessionEnded:
		r.onSessionEnded(m)
		r.sendToSession(m.agentID, endAcknowledged{})
	case recheckCredentials:
		r.onRecheck()
	case endSessions:
		r.onEndSessions(c)
	case find:
		r.onFind(c, m)
	case findTargets:
		r.onFindTargets(c, m)
	case showCluster:
		actors.Reply(c, r.state.cluster(m.filter, time.Now()))
	case showConfigs:
		actors.Reply(c, r.state.configs(m.filter, time.Now()))
	case actors.Tick:
		r.onTick(c, m)
	default:
		unknownMessage(r.log, m)
	}
}

func (r *registry) onAdmit(c actors.Context, m admit) {
	if r.stopping {
		actors.Reply(c, errStopping)
		return
	}
	agentID, key := uuid.NewString(), newSessionKey()
	by := r.cfg.Credentials.check(m.shown)
	adm, err := r.state.admit(m.registration, agentID, m.peer, by, time.Now())
	if err != nil {
		r.cfg.peers.refused(textRefused, r.log, m.peer, err)
		actors.Reply(c, err)
		return
	}
	if adm.replaced != "" {
		r.sendToSession(adm.replaced, endSession{errReplaced})
	}
	if adm.evicted.nodeID != "" {
		r.onEvicted(adm.evicted)
	}
	r.onDisplaced(adm.displaced)
	s := &session{sys: r.sys, cfg: r.cfg, registry: c.Self(), agentID: agentID, key: key, identity: adm.identity,
		capabilities: m.registration.Capabilities, clock: m.registration.Clock, registration: m.stream,
		log: r.sys.Log().Named("session").WithLazy(zap.String("node_id", adm.identity.NodeID), zap.String("agent_id", agentID))}
	r.cfg.counters.sessionOpened()
	pid := r.sys.SpawnChild(c, "session", func() actors.Actor { return s })
	entry := &sessionEntry{pid: pid, stream: m.stream.id, key: hashKey(key), connection: m.connection,
		accepted: acceptedCredentials{m.shown.chain, by.token}}
	r.sessions[agentID] = entry
	r.byPID[pid.Id], r.byKey[entry.key] = agentID, agentID
	r.cfg.peers.info(logRegistered, r.log, "agent registered", r.verifiedFields(adm.verified, zap.String("node_id", adm.identity.NodeID),
		zap.String("role", adm.identity.Role), zap.String("agent_id", agentID), zap.String("peer", m.peer.String()), zap.Bool("returning", adm.returning))...)
	if adm.duplicateSuspected {
		r.cfg.peers.warn(logDuplicateID, r.log, "a node registers again and again while its session lives: two agents may have the same --node-id",
			zap.String("node_id", adm.identity.NodeID), zap.String("peer", m.peer.String()))
	}
	actors.Reply(c, admitted{session: pid, agentID: agentID})
}

// onCheckAdmission logs each answer, as somebody who looks for names does not register.
func (r *registry) onCheckAdmission(c actors.Context, m checkAdmission) {
	if r.stopping {
		actors.Reply(c, errStopping)
		return
	}
	text, err := r.state.check(m.registration, m.peer, r.cfg.Credentials.check(m.shown), time.Now())
	if err != nil {
		r.cfg.peers.refused(textCheckRefused, r.log, m.peer, err)
		actors.Reply(c, err)
		return
	}
	r.cfg.peers.info(logCheckAccepted, r.log, "a registration that was only tried would be accepted",
		zap.String("node_id", truncate(m.registration.Identity().NodeID)), zap.String("peer", m.peer.String()))
	actors.Reply(c, admissible{text})
}

// onEvicted logs the eviction of a node and ends its session.
func (r *registry) onEvicted(e eviction) {
	r.cfg.counters.nodeEvicted()
	r.cfg.peers.warn(logEvicted, r.log, "agent removed to make room for another: it has sent nothing after its registration",
		zap.String("node_id", e.nodeID), zap.Int("max_agents", r.cfg.Limits.MaxAgents))
	r.sendToSession(e.agentID, endSession{errEvicted})
}

func (r *registry) onAbandoned(m abandoned) {
	for agentID, s := range r.sessions {
		if s.stream == m.stream {
			r.sendToSession(agentID, endSession{errAbandoned})
		}
	}
}

func (r *registry) onHeartbeat(c actors.Context, m heartbeat) {
	if id := r.state.heartbeat(m.agentID, m.registration, time.Now()); id != "" {
		r.cfg.peers.info(logBack, r.log, "agent is back online", zap.String("node_id", id), zap.String("agent_id", m.agentID))
	}
	actors.Reply(c, heartbeatAcknowledged{r.state.identity(m.agentID, m.identity)})
}

func (r *registry) onSessionEnded(m sessionEnded) {
	switch id := r.state.ended(m.agentID, m.goodbye, m.why, time.Now()); {
	case id == "", r.stopping: // an older session of a node that has a newer one; or no news
	case m.goodbye:
		r.cfg.peers.info(logGoodbye, r.log, "agent said goodbye", zap.String("node_id", id), zap.String("agent_id", m.agentID))
	default:
		r.cfg.peers.warn(logSessionEnded, r.log, "agent is unconnected: its session ended", zap.String("node_id", id),
			zap.String("agent_id", m.agentID), zap.String("reason", m.why))
	}
}

// onGone handles the end of an actor: a collect actor that has asked for targets, or a session.
// A session that has not reported its end before has panicked.
func (r *registry) onGone(m *actors.Terminated) {
	agentID, ok := r.byPID[m.Who.Id]
	if !ok {
		delete(r.collects, m.Who.Id)
		return
	}
	delete(r.byPID, m.Who.Id)
	delete(r.byKey, r.sessions[agentID].key)
	delete(r.sessions, agentID)
	// The requests in its mailbox are lost. The answers that it has sent came before this.
	for _, collect := range r.collects {
		r.sys.Send(collect, answerFailure{agentID: agentID, reason: messages.MissingError})
	}
	r.onSessionEnded(sessionEnded{agentID: agentID, why: whyFailed})
	r.replyClosing()
}

func (r *registry) onEndSessions(c actors.Context) {
	r.stopping = true
	r.closing = &closing{c.Sender(), len(r.sessions)}
	for agentID := range r.sessions {
		r.sendToSession(agentID, endSession{errStopping})
	}
	r.replyClosing()
}

func (r *registry) replyClosing() {
	if r.closing != nil && len(r.sessions) == 0 {
		r.sys.Send(r.closing.sender, sessionsEnded{r.closing.count})
		r.closing = nil
	}
}

func (r *registry) onFind(c actors.Context, m find) {
	agentID := r.byKey[m.key]
	s, ok := r.sessions[agentID]
	switch {
	case !ok || !r.state.isLive(agentID):
		actors.Reply(c, errUnknownID)
	case m.connection == 0 || m.connection != s.connection:
		actors.Reply(c, errForeign)
	default:
		r.state.streamOpened(agentID)
		actors.Reply(c, found{s.pid})
	}
}

func (r *registry) onFindTargets(c actors.Context, m findTargets) {
	now := time.Now()
	if _, known := r.collects[c.Sender().Id]; !known {
		r.collects[c.Sender().Id] = c.Sender()
		c.Watch(c.Sender())
	}
	nodes := r.state.selected(m.filter)
	answer := targets{sessions: make(map[string]*actors.PID, len(nodes)), nodes: make([]target, 0, len(nodes))}
	for _, n := range nodes {
		s, ok := r.sessions[n.agentID]
		online := ok && n.live && r.state.status(n, now) == messages.StatusOnline
		t := target{identity: n.identity, agentID: n.agentID, online: online, version: n.registration.AgentVersion,
			heardAt: n.lastHeartbeat}
		if online {
			// Not for a lost node, which would keep showing its last value.
			t.timing = n.registration.Timing
			answer.sessions[n.agentID] = s.pid
		}
		answer.nodes = append(answer.nodes, t)
	}
	actors.Reply(c, answer)
}

func (r *registry) onTick(c actors.Context, m actors.Tick) {
	if !r.sweep.Fired(m) {
		return
	}
	r.sweep.Arm(c, sweepInterval)
	r.cfg.peers.flush()
	swept := r.state.sweep(time.Now())
	for _, id := range swept.Unconnected {
		r.cfg.peers.warn(logSilent, r.log, "agent is unconnected: its heartbeats have stopped", zap.String("node_id", id))
	}
	for _, id := range swept.Removed {
		r.cfg.peers.warn(logRemoved, r.log, "agent removed: it was unconnected for too long", zap.String("node_id", id),
			zap.Duration("cleanup_timeout", r.cfg.Limits.CleanupTimeout))
	}
	for _, agentID := range swept.EndSessions {
		r.sendToSession(agentID, endSession{errRemoved})
	}
}

func (r *registry) sendToSession(agentID string, m any) {
	if s, ok := r.sessions[agentID]; ok {
		r.sys.Send(s.pid, m)
	}
}
