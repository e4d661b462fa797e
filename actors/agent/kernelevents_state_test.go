package agent

import (
	"cmp"
	"fmt"
	"testing"
	"time"

	"fodc/actors/agent/telemetry/kernel"

	"github.com/stretchr/testify/require"
)

// kernelScript drives a state, and keeps what it wants done, with the milliseconds since the begin.
type kernelScript struct {
	*testing.T
	state *kernelEventsState
	now   time.Time
	done  []string
	watch nodeProcess
	// inPlace is what a look finds while a process is watched; nil: that process.
	inPlace *nodeProcess
	looks   bool
}

func newKernelScript(t *testing.T) *kernelScript {
	k := &kernelScript{T: t, state: newKernelEventsState(deathBegin), now: deathBegin}
	k.do(k.state.due(k.now))
	return k
}

func (k *kernelScript) do(effects []kernelEffect) {
	for _, e := range effects {
		text := ""
		switch e := e.(type) {
		case findProcess:
			if k.state.process != nil {
				k.looks = true
				continue
			}
			text = "find"
		case watchProcess:
			text, k.watch = fmt.Sprintf("watch %d", e.process.pid), e.process
		case recordEvent:
			text = "record " + string(e.event.Kind) + ": " + e.event.Detail
		case openDeath:
			text = "open " + e.alert.rule + ": " + e.alert.summary
		case tellCrash:
			text = "crash " + e.exit.Signal
		case logKernelEvent:
			if e.cause == "" {
				continue // It says what is recorded.
			}
			text = "log " + e.text + ": " + e.cause
		}
		k.done = append(k.done, fmt.Sprintf("%d %s", k.now.Sub(deathBegin).Milliseconds(), text))
	}
}

// run lets time pass.
func (k *kernelScript) run(d time.Duration) {
	k.Helper()
	end := k.now.Add(d)
	for range 1000 {
		at := k.state.nextDue()
		if at.IsZero() || at.After(end) {
			k.now = end
			return
		}
		if at.After(k.now) {
			k.now = at
		}
		before := len(k.done)
		k.do(k.state.due(k.now))
		if k.looks {
			k.looks = false
			p := cmp.Or(k.inPlace, k.state.process)
			k.do(k.state.found(p, k.now))
		}
		require.False(k, len(k.done) == before && k.state.nextDue().Equal(at), "it is due for ever")
	}
	k.Fatal("it is due too often")
}

func (k *kernelScript) found(pid int) {
	p := &nodeProcess{pid, uint64(pid) * 100, "banyand"}
	if pid == 0 {
		p = nil
	}
	k.do(k.state.found(p, k.now))
}

// followed has a process found that the tracer follows.
func (k *kernelScript) followed(pid int) {
	k.found(pid)
	k.do(k.state.following(k.watch, "", k.now))
	k.done = nil
}

// want checks what was done since the last time.
func (k *kernelScript) want(done ...string) {
	k.Helper()
	require.Equal(k, done, k.done)
	k.done = nil
}

func (k *kernelScript) exits(e *kernel.Event) { k.do(k.state.exited(k.watch, *e, k.now)) }
func (k *kernelScript) traces(e *kernel.Event) {
	k.do(k.state.traced(*e, k.now))
}

// Without a process it is looked for each second, right after a death ten times as often.
func TestNodeProcessIsLookedFor(t *testing.T) {
	k := newKernelScript(t)
	k.want("0 find")
	k.run(5 * time.Second)
	k.want()
	k.found(0)
	k.run(999 * time.Millisecond)
	k.want()
	k.run(time.Millisecond)
	k.want("6000 find")
	k.found(4711)
	k.want("6000 watch 4711")
	k.run(time.Hour)
	k.want()
	k.exits(exitEvent(0, sigKILL, 0))
	k.want("3606000 record process_exit: ended by SIGKILL")
	k.run(100 * time.Millisecond)
	k.found(0)
	k.run(100 * time.Millisecond)
	k.want("3606100 find", "3606200 find")
	k.found(4712)
	k.run(50 * time.Millisecond)
	k.want("3606200 watch 4712", "3606250 open ProcessEnded: The node's process (banyand, 4711) was ended by SIGKILL.", "3606250 crash SIGKILL")
}

// What the tracer and the pidfd tell of one death is one event, whichever comes first.
func TestOneDeathIsOneEvent(t *testing.T) {
	signal, exit := signalEvent(0, sigKILL, kernel.SenderProcess), exitEvent(1, sigKILL, 0)
	const opened = "open ProcessEnded: The node's process (banyand, 4711) was ended by SIGKILL of bash (28939)."
	f := func(name string, story func(k *kernelScript), want ...string) {
		t.Run(name, func(t *testing.T) {
			k := newKernelScript(t)
			k.followed(4711)
			story(k)
			k.run(time.Second)
			k.want(want...)
			require.EqualValues(t, 1, k.state.counts.exits[exitSeries{exitBySignal, "SIGKILL"}])
		})
	}
	f("tracer first", func(k *kernelScript) {
		k.traces(signal)
		k.traces(exit)
		k.run(50 * time.Millisecond)
		k.exits(exit)
	}, "0 record process_signal: SIGKILL by bash (28939)", "0 record process_exit: ended by SIGKILL", "150 find", "250 "+opened, "250 crash SIGKILL")
	f("pidfd first", func(k *kernelScript) {
		k.exits(exit)
		k.run(50 * time.Millisecond)
		k.traces(signal)
		k.traces(exit)
	}, "50 record process_signal: SIGKILL by bash (28939)", "50 record process_exit: ended by SIGKILL", "100 find", "300 "+opened, "300 crash SIGKILL")
	f("tracer late", func(k *kernelScript) {
		k.exits(exit)
		k.run(2 * time.Second)
		k.traces(exit)
	}, "100 record process_exit: ended by SIGKILL", "100 find", "350 open ProcessEnded: The node's process (banyand, 4711) was ended by SIGKILL.", "350 crash SIGKILL")
	f("tracer silent", func(k *kernelScript) { k.exits(exit) },
		"100 record process_exit: ended by SIGKILL", "100 find", "350 open ProcessEnded: The node's process (banyand, 4711) was ended by SIGKILL.", "350 crash SIGKILL")
	f("the process takes long to go", func(k *kernelScript) {
		k.traces(exit)
		k.run(10 * time.Second)
		k.exits(exit)
	}, "0 record process_exit: ended by SIGKILL", "250 open ProcessEnded: The node's process (banyand, 4711) was ended by SIGKILL.", "250 crash SIGKILL", "10100 find")
}

// The next process of the node that ends is another death.
func TestTwoDeathsAreTwoEvents(t *testing.T) {
	k := newKernelScript(t)
	k.followed(4711)
	k.exits(exitEvent(0, 0, 2))
	k.run(time.Second)
	k.followed(4712)
	k.traces(exitEvent(0, 0, 2))
	k.exits(exitEvent(0, 0, 2))
	k.run(time.Second)
	require.EqualValues(t, 2, k.state.counts.exits[exitSeries{exitByCode, "2"}])
}

// A request to end opens an incident at once. Its exit may come much later.
func TestRequestOpensAtOnce(t *testing.T) {
	k := newKernelScript(t)
	k.followed(4711)
	k.traces(signalEvent(0, sigTERM, kernel.SenderProcess))
	k.traces(signalEvent(0, sigTERM, kernel.SenderProcess))
	k.want("0 record process_signal: SIGTERM by bash (28939)", "0 open ProcessSignalled: The node's process (banyand, 4711) was sent SIGTERM by bash (28939).",
		"0 record process_signal: SIGTERM by bash (28939)")
	k.run(3 * time.Second)
	k.want()
	k.traces(exitEvent(3000, 0, 0))
	k.run(time.Second)
	k.want("3000 record process_exit: exit code 0", "3250 open ProcessEnded: The node's process (banyand, 4711) has exited with code 0, after SIGTERM by bash (28939).", "3250 crash ")
	k = newKernelScript(t)
	k.followed(4711)
	k.traces(signalEvent(0, sigTERM, kernel.SenderProcess))
	k.traces(signalEvent(100, sigKILL, kernel.SenderProcess))
	k.run(time.Second)
	require.Contains(t, k.done, "250 open ProcessSignalled: The node's process (banyand, 4711) was sent SIGKILL by bash (28939).")
}

// Signals after which a process may go on are recorded, and no more.
func TestSignalsThatEndNothing(t *testing.T) {
	k := newKernelScript(t)
	k.followed(4711)
	k.traces(signalEvent(0, 13, kernel.SenderKernel))
	k.traces(signalEvent(0, sigSEGV, kernel.SenderKernel))
	k.run(time.Second)
	k.want("0 record process_signal: SIGPIPE by the kernel", "0 record process_signal: SIGSEGV by the kernel")
}

func TestMemoryKills(t *testing.T) {
	k := newKernelScript(t)
	k.followed(4711)
	other := killEvent(0, kernel.VictimOther)
	other.Comm, other.PID = "java", 12
	k.traces(other)
	k.run(time.Second)
	k.want("0 record memory_kill: memory kill of java (12)") // That is no incident of this node.
	require.EqualValues(t, 1, k.state.counts.kills[kernel.VictimOther])
	k.traces(killEvent(0, kernel.VictimNode))
	k.traces(signalEvent(1, sigKILL, kernel.SenderKernel))
	k.traces(exitEvent(2, sigKILL, 0))
	k.run(time.Second)
	k.want("1000 record memory_kill: memory kill of banyand (4711), which is the node", "1000 record process_signal: SIGKILL by the kernel", "1000 record process_exit: ended by SIGKILL",
		"1250 open MemoryKill: The kernel has killed the node's process (banyand, 4711) for lack of memory.", "1250 crash SIGKILL")
}

// The id of the host, which the tracer tells, is not that which the agent sees in a namespace of its own.
func TestNodeHasTheIDThatTheAgentSees(t *testing.T) {
	k := newKernelScript(t)
	k.found(7)
	k.do(k.state.following(k.watch, "", k.now))
	k.done = nil
	k.traces(exitEvent(0, 0, 2))
	k.run(time.Second)
	require.Contains(t, k.done, "250 open ProcessEnded: The node's process (banyand, 7) has exited with code 2.")
}

func TestProcessThatCannotBeWatched(t *testing.T) {
	k := newKernelScript(t)
	k.found(4711)
	k.do(k.state.notWatched(k.watch, "", k.now))
	k.run(time.Second)
	k.want("0 find", "0 watch 4711", "1000 find")
	for range 3 {
		k.found(4711)
		k.do(k.state.notWatched(k.watch, "too many open files", k.now))
		k.run(watchPause)
	}
	k.want("1000 watch 4711", "1000 log the node's process cannot be watched: it may end unnoticed: too many open files", "11000 find", "11000 watch 4711",
		"21000 find", "21000 watch 4711", "31000 find")
}

// Without the privilege to follow the process its exit is told at once.
func TestTracerThatCannotFollow(t *testing.T) {
	k := newKernelScript(t)
	k.found(4711)
	k.do(k.state.following(k.watch, "operation not permitted", k.now))
	k.exits(exitEvent(0, 0, 2))
	k.want("0 find", "0 watch 4711", "0 log who sends signals to the node's process is not known: operation not permitted", "0 record process_exit: exit code 2")
}

// Results of a process that is not watched any more say nothing.
func TestResultsOfAnotherProcess(t *testing.T) {
	k := newKernelScript(t)
	k.found(4711)
	k.done = nil
	old := nodeProcess{4711, 1, "banyand"}
	k.do(k.state.exited(old, *exitEvent(0, 0, 2), k.now))
	k.do(k.state.notWatched(old, "why", k.now))
	k.do(k.state.following(old, "why", k.now))
	k.run(time.Minute)
	k.want()
}

// A storm of signals is counted, and does not fill the window, the journal and the log.
func TestEventsAMinuteAreBounded(t *testing.T) {
	k := newKernelScript(t)
	k.followed(4711)
	for range 100 {
		k.traces(signalEvent(0, 13, kernel.SenderProcess))
	}
	require.Len(t, k.done, maxEventsPerMinute)
	require.EqualValues(t, 100, k.state.counts.signals[signalSeries{otherLabel, kernel.SenderProcess}])
	k.run(time.Minute)
	k.traces(signalEvent(0, 13, kernel.SenderProcess))
	require.Len(t, k.done, maxEventsPerMinute+1)
}
