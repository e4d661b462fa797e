package actors

import (
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	cmap "github.com/orcaman/concurrent-map"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
)

// throttleInterval is how long a goroutine of the runtime lives after a dead letter. It is
// for a log line that this package suppresses, so it is short.
const throttleInterval = time.Millisecond

// The runtime keeps the ids of actors in 1024 maps, and this library splits each into 32
// shards: 33,000 maps and locks for some dozens of actors, which every garbage collection
// visits. One shard is enough.
func init() { cmap.SHARD_COUNT = 1 }

// System runs actors. A process has one; so may each test.
type System struct {
	log         *zap.Logger
	runtime     *actor.ActorSystem
	root        *actor.RootContext
	supervisor  *supervisor
	table       *actorTable
	deadLetters *deadLetters
	fatal       chan error
	shutdown    sync.Once
}

// NewSystem returns a system without actors. For a synctest bubble, create it inside.
func NewSystem(log *zap.Logger) *System {
	s := &System{log: log, table: newActorTable(), deadLetters: newDeadLetters(log.Named("actors")), fatal: make(chan error, 1)}
	s.supervisor = &supervisor{s}
	s.runtime = actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return runtimeLog(log) }),
		actor.WithDeadLetterThrottleInterval(throttleInterval))
	s.root = s.runtime.Root
	s.runtime.EventStream.Subscribe(func(event any) {
		if e, ok := event.(*actor.DeadLetterEvent); ok {
			s.deadLetters.add(e.PID, e.Message)
		}
	})
	return s
}

// runtimeLog drops the runtime's log below Warn: it has whole messages, and failures without
// a stack.
func runtimeLog(log *zap.Logger) *slog.Logger {
	if log.Core().Enabled(zap.InfoLevel) {
		log = log.WithOptions(zap.IncreaseLevel(zap.WarnLevel))
	}
	return slog.New(zapslog.NewHandler(log.Core(), zapslog.WithName("protoactor")))
}

// Log returns the log that the system was made with.
func (s *System) Log() *zap.Logger { return s.log }

// Fatal delivers one error, when an actor has failed more often than its Backoff allows. A
// part of the process is missing then, and it should end. Later errors are dropped.
func (s *System) Fatal() <-chan error { return s.fatal }

// Send puts the message into the actor's mailbox. It does nothing when to is nil,
// and may be called from any goroutine. The message must not be nil.
func (s *System) Send(to *PID, msg any) {
	if to != nil {
		s.root.Send(to, msg)
	}
}

// Shutdown marks the system as ended, after its actors were stopped. It stops none.
func (s *System) Shutdown() { s.shutdown.Do(s.runtime.Shutdown) }

// Request sends a message that the receiver can Reply to; the answer arrives as a
// message of its own. It does nothing when to is nil.
func Request(c Context, to *PID, msg any) {
	if to != nil {
		c.Request(to, msg)
	}
}

// Reply answers the sender of the current message. It does nothing when that was
// sent without one.
func Reply(c Context, msg any) {
	if to := c.Sender(); to != nil {
		c.Send(to, msg)
	}
}
