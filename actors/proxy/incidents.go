package proxy

import (
	"context"
	"crypto/rand"
	"slices"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder/evidence"

	"github.com/oklog/ulid/v2"
	"go.uber.org/zap"
)

const (
	// incidentTick is how often the actor looks what is due.
	incidentTick = time.Second
	// incidentInterval is how often all agents are asked for their incidents, which also announce them.
	incidentInterval = 30 * time.Second
	// incidentTimeout bounds the time of agents to answer.
	incidentTimeout = 5 * time.Second
)

// IncidentsConfig says what a proxy does about incidents.
type IncidentsConfig struct {
	// Open opens the store, once. It may take as long as the disk does.
	Open func(now time.Time) (*evidence.Store, evidence.Report, error)
	// OnDisk says that evidence is fetched from agents and kept in the store. Otherwise it has documents alone,
	// and evidence.Limits.FilesElsewhere.
	OnDisk bool
	// MaxNodes bounds the nodes that keep their evidence for an incident of others, MaxCount the incidents.
	MaxNodes, MaxCount int
	// Before and After are how much time of the evidence lies around an incident of the proxy's own rules,
	// MaxDuration for how long they keep one open. Zeros are 10 m, 2 m and 15 m.
	Before, After, MaxDuration time.Duration
}

// incidents is the actor that makes incidents of the cluster of those of its agents. It resumes after a panic:
// what the agents have said is nowhere else.
type incidents struct {
	sys       *actors.System
	log       *zap.Logger
	cfg       IncidentsConfig
	registry  *atomic.Pointer[actors.PID] // It and the collector are spawned later.
	collector *atomic.Pointer[actors.PID]
	ids       *atomic.Uint64
	peers     *peerLog
	counters  *counters
	state     *incidentsState
	store     *evidence.Store // nil until it is open
	// opened gives the store to the actor that fetches evidence. evidence is
	// that actor, nil: nothing is fetched.
	opened   func(*evidence.Store) *actors.PID
	evidence *actors.PID
	// askers have asked for an incident that is not stored yet.
	askers map[string]*actors.PID
	alerts *actors.PID // tells Alertmanagers; nil: there is none
	// ctx ends the goroutines.
	ctx              context.Context
	cancel           context.CancelFunc
	tick             actors.Timer
	writing, looking bool
	asking           bool
	askedAllAt       time.Time
	failed           bool // the newest write
}

func newIncidents(sys *actors.System, cfg Config, registry, collector *atomic.Pointer[actors.PID], ids *atomic.Uint64, opened func(*evidence.Store) *actors.PID,
	alerts *actors.PID) *incidents {
	in := *cfg.Incidents
	limits := incidentLimits{before: in.Before, after: in.After, maxDuration: in.MaxDuration, heartbeat: cfg.HeartbeatInterval,
		maxNodes: in.MaxNodes, maxCount: in.MaxCount, onDisk: in.OnDisk}.withDefaults()
	k := &incidents{sys: sys, log: sys.Log().Named("incidents"), cfg: in, registry: registry, collector: collector, ids: ids, peers: cfg.peers,
		counters: cfg.counters, opened: opened, alerts: alerts, askers: map[string]*actors.PID{}, state: newIncidentsState(limits, newIncidentID)}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k
}

func (l incidentLimits) withDefaults() incidentLimits {
	for _, d := range []struct {
		of  *time.Duration
		def time.Duration
	}{{&l.before, 10 * time.Minute}, {&l.after, 2 * time.Minute}, {&l.maxDuration, 15 * time.Minute}} {
		if *d.of <= 0 {
			*d.of = d.def
		}
	}
	if l.maxNodes <= 0 {
		l.maxNodes = 50
	}
	if l.maxCount <= 0 {
		l.maxCount = evidence.DefaultMaxCount
	}
	return l
}

// newIncidentID returns an id that sorts by the first occurrence.
func newIncidentID(first time.Time) string {
	ms := max(first.UnixMilli(), 0)
	return ulid.MustNew(min(uint64(ms), ulid.MaxTime()), rand.Reader).String()
}

func (k *incidents) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		k.load(c)
	case *actors.Stopping:
		k.tick.Disarm()
		k.cancel()
	case *actors.Restarting, *actors.Stopped:
	case incidentsLoaded:
		k.onLoaded(c, m)
	case incidentsAttached:
		k.state.attached(m.identity, m.agentID, m.offset, time.Now())
		k.advance(c)
	case incidentsChanged:
		k.state.changed(m.identity, m.agentID, m.offset, uint64(m.revision))
		k.advance(c)
	case incidentsCollected:
		k.onCollected(c, m)
	case messages.Cluster:
		k.onCluster(c, m)
	case error: // of the registry: it is asked again
		k.looking = false
	case freezeEnded:
		k.state.freezeAnswered(m.ask, m.answer, time.Now())
		k.advance(c)
	case actionEnded:
		k.state.acted(m.action, m.answer)
		k.advance(c)
	case nodeFetched:
		k.state.fetched(m)
		k.advance(c)
	case incidentWritten:
		k.onWritten(c, m)
	case actors.Tick:
		if k.tick.Fired(m) {
			k.onTick(c)
		}
	default:
		k.onQuestion(c, m)
	}
}

func (k *incidents) onQuestion(c actors.Context, m any) {
	if k.store == nil {
		actors.Reply(c, messages.Errorf(messages.ErrUnavailable, "the incidents of the former process are being read: try again in a second"))
		return
	}
	switch m := m.(type) {
	case listIncidents:
		now := time.Now()
		actors.Reply(c, slices.DeleteFunc(k.state.list(), func(doc *messages.Incident) bool { return !k.state.entries[doc.ID].isKept(now) }))
	case getIncident:
		if e := k.state.entries[m.id]; e != nil && e.isKept(time.Now()) {
			actors.Reply(c, e.doc)
		} else {
			actors.Reply(c, errNoIncident(m.id))
		}
	case requestIncident:
		doc, err := k.state.request(m.order, time.Now())
		if err != nil {
			actors.Reply(c, err)
			return
		}
		k.log.Info("an incident is opened as somebody wants it", zap.String("incident", doc.ID), zap.String("by", quote(m.order.By)), zap.String("reason", quote(m.order.Reason)))
		k.askers[doc.ID] = c.Sender()
		k.advance(c)
	case actOnIncident:
		if err := k.state.act(m.id, m.action, time.Now()); err != nil {
			actors.Reply(c, err)
			return
		}
		actors.Reply(c, incidentActed{})
		k.advance(c)
	default:
		unknownMessage(k.log, m)
	}
}

func (k *incidents) onTick(c actors.Context) {
	k.tick.Arm(c, incidentTick)
	if !k.looking {
		k.looking = true
		actors.Request(c, k.registry.Load(), showCluster{})
	}
	k.advance(c)
}

func (k *incidents) onCluster(c actors.Context, m messages.Cluster) {
	k.looking = false
	k.state.looked(m, time.Now())
	k.advance(c)
}

// advance does what is due.
func (k *incidents) advance(c actors.Context) {
	if k.store == nil || k.collector.Load() == nil {
		return
	}
	now := time.Now()
	k.state.advance(now)
	for _, n := range k.state.takeNews(now) {
		k.tell(n)
	}
	k.ask(c, now)
	for _, f := range k.state.nextFreezes(now) {
		k.askOne(c, f.nodeID, f.question, func(a *messages.NodeAnswer) any { return freezeEnded{f, a} })
	}
	for _, a := range k.state.nextActions(now) {
		k.askOne(c, a.nodeID, a.question, func(answer *messages.NodeAnswer) any { return actionEnded{a, answer} })
	}
	k.write(c, now)
	k.answer(now)
	if k.evidence != nil {
		for _, f := range k.state.nextFetches(now) {
			actors.Request(c, k.evidence, f)
		}
	}
	k.counters.incidents.Store(&messages.IncidentCounts{Opened: k.state.openedCounts(), Open: k.state.open(), EvidenceBytes: k.state.bytes(), Unsaved: k.state.unsaved(),
		LookedAt: k.state.lost.lookedAt})
}

// answer answers those who have asked for incidents that are stored now.
func (k *incidents) answer(now time.Time) {
	for id, asker := range k.askers {
		switch e := k.state.entries[id]; {
		case e == nil:
			k.sys.Send(asker, errNoIncident(id))
		case e.isKept(now):
			k.sys.Send(asker, e.doc)
		default:
			continue
		}
		delete(k.askers, id)
	}
}

// tell logs the opening or the end of an incident, or that it has become worse, and tells whoever is to be told.
func (k *incidents) tell(n incidentNews) {
	what, doc := "an incident has opened", n.doc
	switch {
	case doc.State != messages.IncidentOpen:
		what = "an incident is over"
	case n.worse:
		what = "an open incident has become worse"
	case n.again:
		what = "an incident of the former process is still open"
	}
	k.peers.warn(logIncident, k.log, what, zap.String("incident", doc.ID), zap.Time("first_occurrence", doc.FirstOccurrence),
		zap.String("severity", doc.Severity), zap.Int("nodes", len(doc.Nodes)), zap.String("summary", doc.Summary))
	if k.alerts != nil {
		k.sys.Send(k.alerts, incidentAlert{doc})
	}
}

// forgotten tells whoever works on an incident that it is removed.
func (k *incidents) forgotten(id string) {
	if k.evidence != nil {
		k.sys.Send(k.evidence, forgetEvidence{id})
	}
	if k.alerts != nil {
		k.sys.Send(k.alerts, incidentRemoved{id})
	}
}
