package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"fodc/actors"
	"fodc/actors/agent/banyandb"
	"fodc/messages"

	"go.uber.org/zap"
)

// DatabaseConfig says what the database node is asked for, on its loopback interface.
type DatabaseConfig struct {
	// StatePorts are the ports on which it is asked who it is and which nodes it knows, each
	// StateInterval. Without any it is not asked.
	StatePorts    []int
	StateInterval time.Duration
	// LifecyclePort is where it is asked for its groups; 0 is nowhere. An answer is used for
	// LifecycleTTL.
	LifecyclePort int
	LifecycleTTL  time.Duration
	// LifecycleOptional says that nobody has named the port: as long as nothing has ever listened there,
	// the node has no groups to tell of, which is no error.
	LifecycleOptional bool
	// ReportDir is the directory of the reports of its lifecycle runs; empty: there is none.
	ReportDir string
	// Dial opens a connection to the node; nil is the real thing.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Messages to the actor of the database.
type (
	// polled is the answer of a port.
	polled struct{ databasePoll }
	// readTopology is answered with a *messages.Topology, or an error.
	readTopology struct{}
	// readPorts is answered with []portStatus.
	readPorts struct{}
)

// database asks the node who it is, and which nodes it knows. A goroutine asks a port, and ends with
// one message.
type database struct {
	sys      *actors.System
	log      *zap.Logger
	state    *databaseState
	identity *nodeIdentity
	clients  []*banyandb.Client // of the ports

	timer  actors.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func newDatabase(sys *actors.System, identity *nodeIdentity, cfg DatabaseConfig) *database {
	d := &database{sys: sys, log: sys.Log(), state: newDatabaseState(cfg.StatePorts, cfg.StateInterval), identity: identity}
	for _, port := range cfg.StatePorts {
		d.clients = append(d.clients, banyandb.New(port, cfg.Dial))
	}
	return d
}

func (d *database) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		d.ctx, d.cancel = context.WithCancelCause(context.Background())
		for _, client := range d.clients {
			context.AfterFunc(d.ctx, client.Close)
		}
		d.do(c, d.state.due(time.Now()))
	case *actors.Stopping, *actors.Restarting:
		d.timer.Disarm()
		d.cancel(errStopped)
	case *actors.Stopped:
	case polled:
		d.do(c, d.state.answered(m.databasePoll, time.Now()))
	case readTopology:
		d.onReadTopology(c)
	case readPorts:
		actors.Reply(c, d.state.statuses())
	case actors.Tick:
		if d.timer.Fired(m) {
			d.do(c, d.state.due(time.Now()))
		}
	default:
		unknownMessage(d.log, m)
	}
}

func (d *database) do(c actors.Context, effects []databaseEffect) {
	for _, e := range effects {
		switch e := e.(type) {
		case startPoll:
			go pollPort(newSender(d.ctx, d.sys, c), d.clients[e.port], e)
		case armPoll:
			d.timer.Arm(c, e.after)
		case tellIdentity:
			if left := d.identity.learn(d.state.role, d.state.labels); left > 0 {
				d.log.Warn("labels of the node are left out: they are too many, too long or not allowed", zap.Int("labels", left))
			}
		case logDatabase:
			writeEntry(d.log, e.logEntry)
		}
	}
}

func (d *database) onReadTopology(c actors.Context) {
	t, unknown := d.state.topology(time.Now())
	if t == nil {
		actors.Reply(c, fmt.Errorf("the node has not said which nodes it knows: %s", unknown))
		return
	}
	actors.Reply(c, t)
}

// pollPort asks a port, and sends its answers. What panics there is an answer, too.
func pollPort(self sender, client *banyandb.Client, p startPoll) {
	answer := databasePoll{port: p.port}
	node, err := guarded(func() (*messages.DatabaseNode, error) { return client.CurrentNode(self.ctx) })
	answer.node = answerOfCall(node, err)
	if p.whole {
		nodes, err := guarded(func() ([]messages.DatabaseNode, error) { return client.RegisteredNodes(self.ctx) })
		all := answerOfCall(nodes, err)
		answer.nodes = &all
	}
	self.send(polled{answer})
}

func answerOfCall[T any](value T, err error) (a databaseAnswer[T]) {
	switch {
	case err == nil:
		a.value = value
	case errors.Is(err, banyandb.ErrUnimplemented):
		a.lacks = true
	default:
		a.cause = shortCause(err)
	}
	return a
}

// guarded calls f, and returns an error if it panics.
func guarded[T any](f func() (T, error)) (value T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

// topologySource answers with the nodes that the node knows.
type topologySource struct {
	sys      *actors.System
	database *actors.PID
}

// Answer implements Source.
func (s topologySource) Answer(ctx context.Context, _ messages.Question, emit func(messages.Part) error) error {
	t, err := actors.Ask[*messages.Topology](ctx, s.sys, s.database, readTopology{})
	if err != nil {
		return unavailable(err)
	}
	return emit(t)
}
