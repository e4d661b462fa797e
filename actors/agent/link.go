package agent

import (
	"math/rand/v2"
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

// Messages to a link.
type (
	// registered says that the uplink has a session.
	registered struct {
		generation uint64
		agentID    string // the session's public id, never its key; empty where the proxy sends none
	}
	// sessionOver is the uplink's final message: all parts of its session have ended.
	sessionOver struct {
		generation uint64
		end        sessionEnd
		health     string // the node's last known health
	}
	// disconnect makes the link leave the proxy in an orderly way, and then stop. It may
	// come at any time, and more than once.
	disconnect struct{}
	// readLink is answered with messages.ProxyHealth.
	readLink struct{}
)

// link keeps a session with one proxy: it is the supervisor of reconnects.
type link struct {
	sys   *actors.System
	log   *zap.Logger
	cfg   sessionConfig
	state *linkState

	uplink     *actors.PID // nil: there is none
	generation uint64      // of the uplink
	health     string      // the node's last known health
	timer      actors.Timer
	leaving    bool // the link is being stopped or restarted: it starts no further uplink
}

func newLink(sys *actors.System, cfg sessionConfig, retryCap time.Duration) *link {
	log := sys.Log().With(zap.String("proxy", cfg.address))
	if cfg.local && log.Level() == zap.InfoLevel {
		log = log.WithOptions(zap.IncreaseLevel(zap.WarnLevel))
	}
	return &link{sys: sys, log: log, cfg: cfg,
		state: newLinkState(retryCap, anyUpTo, func() uint64 { return uint64(actors.NextStreamID()) })}
}

func anyUpTo(limit time.Duration) time.Duration { return rand.N(limit + 1) }

func (l *link) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		actors.Subject(c, l.cfg.address)
		l.do(c, l.state.start(time.Now()))
	case *actors.Stopping, *actors.Restarting:
		l.leaving = true
		l.timer.Disarm()
	case *actors.Stopped:
	case *actors.Terminated:
		l.onTerminated(c, m)
	case registered:
		l.do(c, l.state.registered(m.generation, m.agentID, time.Now()))
	case sessionOver:
		l.health = m.health
		l.do(c, l.state.over(m.generation, m.end))
	case disconnect:
		l.do(c, l.state.disconnect(time.Now()))
	case readLink:
		actors.Reply(c, l.state.health(l.cfg.address))
	case nodeHealth:
		l.health = m.health
	case actors.Tick:
		if l.timer.Fired(m) {
			l.do(c, l.state.due(time.Now()))
		}
	default:
		unknownMessage(l.log, m)
	}
}

func (l *link) onTerminated(c actors.Context, m *actors.Terminated) {
	if l.leaving || l.uplink == nil || m.Who.Id != l.uplink.Id {
		return
	}
	l.uplink = nil
	l.do(c, l.state.gone(l.generation, time.Now()))
}

func (l *link) do(c actors.Context, effects []linkEffect) {
	for _, e := range effects {
		switch e := e.(type) {
		case spawnUplink:
			l.spawn(c, e)
		case stopUplink:
			l.sys.StopAsync(l.uplink)
		case leaveProxy:
			l.sys.Send(l.uplink, sayGoodbye{})
		case armLink:
			l.onWait(c, e.after)
		case disarmLink:
			l.timer.Disarm()
		case stopLink:
			actors.EndReason(c, "disconnected")
			l.sys.StopAsync(c.Self())
		case logLink:
			writeEntry(l.log, e.logEntry)
		}
	}
}

// onWait arms the timer. A link that waits for its next attempt has no uplink that keeps the
// node's health up to date, so it asks the recorder itself.
func (l *link) onWait(c actors.Context, d time.Duration) {
	l.timer.Arm(c, d)
	if l.uplink == nil {
		actors.Request(c, l.cfg.recorder, readHealth{})
	}
}

func (l *link) spawn(c actors.Context, e spawnUplink) {
	parent, cfg, health := c.Self(), l.cfg, l.health
	cfg.keepalive = e.keepalive
	l.generation = e.generation
	l.uplink = l.sys.SpawnChild(c, "uplink", func() actors.Actor {
		return newUplink(l.sys, parent, e.generation, cfg, health)
	})
}

// nodeRuntime returns the node's load and health for a registration or a heartbeat. The
// health is empty before the first scrape.
func nodeRuntime(health string, load func() float64) *messages.Runtime {
	return &messages.Runtime{Load: load(), Health: health}
}
