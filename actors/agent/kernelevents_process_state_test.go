package agent

import (
	"testing"
	"time"

	"fodc/actors/agent/telemetry/kernel"

	"github.com/stretchr/testify/require"
)

// A pid file of yesterday may name a process that is not the node. The node's own is watched when two looks have found it.
func TestAnotherProcessInItsPlace(t *testing.T) {
	k := newKernelScript(t)
	k.found(4711)
	k.inPlace = &nodeProcess{4800, 480000, "banyand"}
	k.run(time.Minute)
	k.want("0 find", "0 watch 4711", "20000 watch 4800")
	k.inPlace = nil
	k.run(time.Minute)
	k.want()
	k.exits(exitEvent(80000, 0, 2))
	k.run(time.Second)
	require.Contains(t, k.done, "120250 open ProcessEnded: The node's process (banyand, 4800) has exited with code 2.")
}

// A look that finds the node's next process before the end of the former one is told does not hide that end.
func TestNextProcessBeforeTheEndIsTold(t *testing.T) {
	k := newKernelScript(t)
	k.followed(4711)
	k.inPlace = &nodeProcess{4712, 471200, "banyand"}
	k.run(lookPause)
	k.exits(exitEvent(0, sigKILL, 0))
	k.run(time.Second)
	require.Contains(t, k.done, "10350 open ProcessEnded: The node's process (banyand, 4711) was ended by SIGKILL.")
	k.found(4712)
	k.run(time.Minute)
	require.Equal(t, 4712, k.state.process.pid)
}

// A process that is found, but not for sure, is left when the pid file names the first one again, or nothing.
func TestAnotherProcessFoundOnce(t *testing.T) {
	k := newKernelScript(t)
	k.followed(4711)
	for range 3 {
		k.inPlace = &nodeProcess{4800, 480000, "banyand"}
		k.run(lookPause)
		k.inPlace = nil
		k.run(lookPause)
	}
	k.do(k.state.found(nil, k.now))
	k.run(time.Minute)
	k.want()
}

// The exit of a process may take seconds after what ends it: it is told with who has ended it.
func TestExitLongAfterItsCause(t *testing.T) {
	for _, of := range []struct {
		cause *kernel.Event
		want  []string
	}{
		{signalEvent(0, sigKILL, kernel.SenderProcess), []string{"250 open ProcessSignalled: The node's process (banyand, 4711) was sent SIGKILL by bash (28939).",
			"3250 open ProcessEnded: The node's process (banyand, 4711) was ended by SIGKILL of bash (28939)."}},
		{killEvent(0, kernel.VictimNode), []string{"250 open MemoryKill: The kernel has killed the node's process (banyand, 4711) for lack of memory.",
			"3250 open MemoryKill: The kernel has killed the node's process (banyand, 4711) for lack of memory."}},
	} {
		k := newKernelScript(t)
		k.followed(4711)
		k.traces(of.cause)
		k.run(3 * time.Second)
		k.traces(exitEvent(3000, sigKILL, 0))
		k.exits(exitEvent(3000, sigKILL, 0))
		k.run(time.Second)
		for _, want := range of.want {
			require.Contains(t, k.done, want)
		}
		k.followed(4712)
		k.exits(exitEvent(4000, 0, 2))
		k.run(time.Second)
		require.Contains(t, k.done, "4350 open ProcessEnded: The node's process (banyand, 4712) has exited with code 2.", "what ended the former process did not end this one")
	}
}

// What was sent to the process an hour ago is not why it ends.
func TestOldSignalIsNoCause(t *testing.T) {
	k := newKernelScript(t)
	k.followed(4711)
	k.traces(signalEvent(0, sigHUP, kernel.SenderProcess))
	k.run(endingTime)
	k.traces(exitEvent(int(endingTime.Milliseconds()), 0, 2))
	k.run(time.Second)
	require.Contains(t, k.done, "300250 open ProcessEnded: The node's process (banyand, 4711) has exited with code 2.")
}

// A tracer that begins to tell of the process only after its end does not make two exits of it.
func TestTracerFollowsTooLate(t *testing.T) {
	k := newKernelScript(t)
	k.found(4711)
	k.exits(exitEvent(0, 0, 2))
	k.traces(exitEvent(0, 0, 2))
	k.run(time.Second)
	require.EqualValues(t, 1, k.state.counts.exits[exitSeries{exitByCode, "2"}])
}
