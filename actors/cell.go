package actors

import (
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fodc/messages"

	"github.com/asynkron/protoactor-go/actor"
)

// States of an actor, in the order in which it can leave them for good.
const (
	starting int32 = iota
	running
	failed // waits for its supervisor
	restarting
	stopping
	ended
)

var stateNames = [...]string{"starting", "running", "failed", "restarting", "stopping", "ended"}

// cell is the entry of one actor in the table. It is the actor's mailbox and the invoker
// behind that mailbox, so it sees all that is sent to the actor and all that the actor
// handles. A restart keeps the cell.
type cell struct {
	actor.Mailbox // where messages wait
	invoker       actor.MessageInvoker

	sys      *System
	name     string // last part of the id
	kind     string
	isChild  bool
	on       OnFailure
	self     *PID
	parent   string // id; empty: none
	order    uint64 // of the spawn
	started  time.Time
	gone     chan struct{} // closed when the actor is gone
	state    atomic.Int32
	peak     atomic.Int64
	producer func() Actor // used by the actor's goroutine; nil at the end

	// panickedOn is the message on which the value panicked; nil: it has not. Only the
	// actor's goroutine uses it. It is needed because for a panic on the *Started of a restart
	// the runtime reports *Restart as the message.
	panickedOn any
	// lateWatchers began to watch while the actor was stopping. Only the actor's goroutine
	// uses it.
	lateWatchers []*PID

	mu         sync.Mutex
	subject    string
	handled    uint64
	busy       reflect.Type // nil: idle
	busySince  time.Time
	restarts   int
	failures   int
	last       *messages.Failure
	recent     []time.Time // failures within the Backoff's window
	endReason  string      // set by EndReason; empty: not set
	stopReason string      // the panic after which the supervisor stops it; empty: none
}

// containsPanics reports whether a panic must not reach the supervisor any more.
func (m *cell) containsPanics() bool { return m.state.Load() >= failed }

// isStopping reports whether the actor stops or has stopped. Its children were told to stop
// already.
func (m *cell) isStopping() bool { return m.state.Load() >= stopping }

// waiting counts the messages in the mailbox; the runtime's count can be negative for
// a moment.
func (m *cell) waiting() int64 { return max(0, int64(m.UserMessageCount())) }

// RegisterHandlers is called once, at the end of a successful spawn. The invoker is
// the actor's context.
func (m *cell) RegisterHandlers(invoker actor.MessageInvoker, d actor.Dispatcher) {
	c := invoker.(actor.Context)
	m.invoker, m.self, m.started = invoker, c.Self(), time.Now()
	if m.isChild {
		m.parent = c.Parent().Id
	}
	m.sys.table.add(m)
	m.Mailbox.RegisterHandlers(m, d)
}

// PostUserMessage is called in the sender's goroutine.
func (m *cell) PostUserMessage(msg any) {
	if msg == nil {
		panic("send to " + m.self.Id + ": the message is nil") // A nil makes the mailbox spin for ever.
	}
	if _, ok := msg.(*actor.DeadLetterResponse); ok {
		return // useless: it does not say which request was lost
	}
	m.Mailbox.PostUserMessage(msg)
	for n := m.waiting(); ; {
		peak := m.peak.Load()
		if n <= peak || m.peak.CompareAndSwap(peak, n) {
			return
		}
	}
}

// PostSystemMessage is called in the sender's goroutine. *ResumeMailbox does not reach the
// invoker, so the state changes here.
func (m *cell) PostSystemMessage(msg any) {
	if _, ok := msg.(*actor.ResumeMailbox); ok {
		m.state.CompareAndSwap(failed, running)
	}
	m.Mailbox.PostSystemMessage(msg)
}

func (m *cell) InvokeUserMessage(msg any) {
	if m.state.Load() == ended {
		m.sys.deadLetters.add(m.self, actor.UnwrapEnvelopeMessage(msg))
		return
	}
	// No defer: after a panic EscalateFailure ends the message, and after runtime.Goexit the
	// tree must go on showing the actor as busy with it.
	m.beginMessage(actor.UnwrapEnvelopeMessage(msg))
	m.invoker.InvokeUserMessage(msg)
	m.endMessage()
}

func (m *cell) InvokeSystemMessage(msg any) {
	switch x := msg.(type) {
	case *actor.Stop:
		if m.state.Load() < stopping {
			m.state.Store(stopping)
		}
	case *actor.Restart:
		if m.state.Load() >= stopping {
			return // A restart would make the runtime forget that the actor stops.
		}
		m.state.Store(restarting)
		m.countRestart()
	case *actor.Watch:
		if m.state.Load() == stopping {
			m.lateWatchers = append(m.lateWatchers, x.Watcher) // The runtime would report the actor as gone already.
			return
		}
	case *actor.Unwatch:
		m.lateWatchers = slices.DeleteFunc(m.lateWatchers, func(w *PID) bool { return w.Id == x.Watcher.Id })
	}
	m.beginMessage(msg)
	m.invoker.InvokeSystemMessage(msg)
	m.endMessage()
}

// EscalateFailure is called by the mailbox while the panic that it recovered is still
// on the stack.
func (m *cell) EscalateFailure(reason, msg any) {
	on := m.panickedOn
	if m.panickedOn = nil; on == nil { // The producer panicked.
		on = actor.UnwrapEnvelopeMessage(msg)
	}
	m.fail(reason, on, actor.UnwrapEnvelopeSender(msg))
	m.endMessage()
	if m.state.Load() < stopping {
		m.state.Store(failed)
	}
	m.invoker.EscalateFailure(reason, msg)
}

func (m *cell) beginMessage(msg any) {
	m.mu.Lock()
	m.handled++
	m.busy, m.busySince = reflect.TypeOf(msg), time.Now()
	m.mu.Unlock()
}

func (m *cell) endMessage() {
	m.mu.Lock()
	m.busy = nil
	m.mu.Unlock()
}

func (m *cell) countRestart() {
	m.mu.Lock()
	m.restarts++
	m.endReason = ""
	m.mu.Unlock()
	m.sys.table.countRestart(m.kind)
}

// end is called once, in the actor's goroutine, after *Stopped and before the runtime
// tells anybody.
func (m *cell) end() {
	m.state.Store(ended)
	m.sys.table.remove(m)
	// Old PIDs refer to this cell. They must not keep the actor's value in memory.
	m.producer = nil
	for _, w := range m.lateWatchers {
		if p, ok := m.sys.runtime.ProcessRegistry.Get(w); ok {
			p.SendSystemMessage(w, &Terminated{Who: m.self})
		}
	}
	m.lateWatchers = nil
	close(m.gone)
	// The mailbox of an actor that ended while it waited for its supervisor is suspended.
	// Resume it, so that its messages become dead letters.
	m.Mailbox.PostSystemMessage(&actor.ResumeMailbox{})
}
