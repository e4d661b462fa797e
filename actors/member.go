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

// member is what the census knows of one actor. It is the actor's mailbox, and the
// invoker behind that mailbox, so it sees all that is sent to the actor and all that
// the actor does. It outlives restarts.
type member struct {
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
	gone     chan struct{} // closed when the actor is
	state    atomic.Int32
	peak     atomic.Int64
	producer func() Actor // of the actor's goroutine; nil at the end

	// panickedOn is what the value was told when it panicked; of the actor's goroutine.
	// The runtime only knows *Restart where that was *Started.
	panickedOn any
	// lateWatchers wait for an actor that is stopping; of the actor's goroutine.
	lateWatchers []*PID

	mu        sync.Mutex
	subject   string
	handled   uint64
	busy      reflect.Type // nil: idle
	busySince time.Time
	restarts  int
	failures  int
	last      *messages.Failure
	recent    []time.Time // failures within the Backoff's window
	endReason string      // what the actor said; empty: nothing
	condemned string      // the failure that it is ended for; empty: none
}

// isContained tells whether a panic is not to reach supervision any more.
func (m *member) isContained() bool { return m.state.Load() >= failed }

// isLeaving tells whether the children were told to stop already, for good.
func (m *member) isLeaving() bool { return m.state.Load() >= stopping }

// waiting counts the messages in the mailbox; the runtime's count can be negative for
// a moment.
func (m *member) waiting() int64 { return max(0, int64(m.UserMessageCount())) }

// RegisterHandlers is called once, at the end of a successful spawn. The invoker is
// the actor's context.
func (m *member) RegisterHandlers(invoker actor.MessageInvoker, d actor.Dispatcher) {
	c := invoker.(actor.Context)
	m.invoker, m.self, m.started = invoker, c.Self(), time.Now()
	if m.isChild {
		m.parent = c.Parent().Id
	}
	m.sys.census.add(m)
	m.Mailbox.RegisterHandlers(m, d)
}

// PostUserMessage is called in the sender's goroutine.
func (m *member) PostUserMessage(msg any) {
	if msg == nil {
		panic("send to " + m.self.Id + ": the message is nil") // It would make the mailbox spin for ever.
	}
	if _, ok := msg.(*actor.DeadLetterResponse); ok {
		return // It does not say which request was lost.
	}
	m.Mailbox.PostUserMessage(msg)
	for n := m.waiting(); ; {
		peak := m.peak.Load()
		if n <= peak || m.peak.CompareAndSwap(peak, n) {
			return
		}
	}
}

// PostSystemMessage is called in the sender's goroutine. What resumes the mailbox
// does not reach the invoker, so it is seen here.
func (m *member) PostSystemMessage(msg any) {
	if _, ok := msg.(*actor.ResumeMailbox); ok {
		m.state.CompareAndSwap(failed, running)
	}
	m.Mailbox.PostSystemMessage(msg)
}

func (m *member) InvokeUserMessage(msg any) {
	if m.state.Load() == ended {
		m.sys.deadLetters.add(m.self, actor.UnwrapEnvelopeMessage(msg))
		return
	}
	// No defer: a panic goes on to EscalateFailure, and a goroutine that ends in the
	// midst of a message leaves the actor visibly busy with it.
	m.enter(actor.UnwrapEnvelopeMessage(msg))
	m.invoker.InvokeUserMessage(msg)
	m.leave()
}

func (m *member) InvokeSystemMessage(msg any) {
	switch x := msg.(type) {
	case *actor.Stop:
		if m.state.Load() < stopping {
			m.state.Store(stopping)
		}
	case *actor.Restart:
		if m.state.Load() >= stopping {
			return // The runtime would forget that it stops.
		}
		m.state.Store(restarting)
		m.countRestart()
	case *actor.Watch:
		if m.state.Load() == stopping {
			m.lateWatchers = append(m.lateWatchers, x.Watcher) // The runtime would call it gone already.
			return
		}
	case *actor.Unwatch:
		m.lateWatchers = slices.DeleteFunc(m.lateWatchers, func(w *PID) bool { return w.Id == x.Watcher.Id })
	}
	m.enter(msg)
	m.invoker.InvokeSystemMessage(msg)
	m.leave()
}

// EscalateFailure is called by the mailbox while the panic that it recovered is still
// on the stack.
func (m *member) EscalateFailure(reason, msg any) {
	on := m.panickedOn
	if m.panickedOn = nil; on == nil { // The producer panicked.
		on = actor.UnwrapEnvelopeMessage(msg)
	}
	m.fail(reason, on, actor.UnwrapEnvelopeSender(msg))
	m.leave()
	if m.state.Load() < stopping {
		m.state.Store(failed)
	}
	m.invoker.EscalateFailure(reason, msg)
}

func (m *member) enter(msg any) {
	m.mu.Lock()
	m.handled++
	m.busy, m.busySince = reflect.TypeOf(msg), time.Now()
	m.mu.Unlock()
}

func (m *member) leave() {
	m.mu.Lock()
	m.busy = nil
	m.mu.Unlock()
}

func (m *member) countRestart() {
	m.mu.Lock()
	m.restarts++
	m.endReason = ""
	m.mu.Unlock()
	m.sys.census.countRestart(m.kind)
}

// end is called once, in the actor's goroutine, after *Stopped and before the runtime
// tells anybody.
func (m *member) end() {
	m.state.Store(ended)
	m.sys.census.remove(m)
	// A PID that somebody keeps leads here; let it not keep the actor's value.
	m.producer = nil
	for _, w := range m.lateWatchers {
		if p, ok := m.sys.runtime.ProcessRegistry.Get(w); ok {
			p.SendSystemMessage(w, &Terminated{Who: m.self})
		}
	}
	m.lateWatchers = nil
	close(m.gone)
	// One that ended while it waited for its supervisor has a mailbox at rest; what is
	// in it are dead letters now.
	m.Mailbox.PostSystemMessage(&actor.ResumeMailbox{})
}
