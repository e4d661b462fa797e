package agent

import (
	"testing"
	"time"

	"fodc/actors/agent/telemetry/kernel"

	"github.com/stretchr/testify/require"
)

var deathBegin = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

func exitEvent(ms int, signal, code int) *kernel.Event {
	return &kernel.Event{Kind: kernel.ProcessExit, At: deathBegin.Add(time.Duration(ms) * time.Millisecond), PID: 4711, Comm: "banyand", Signal: signal, Code: code}
}

func signalEvent(ms int, signal int, sender kernel.Sender) *kernel.Event {
	e := &kernel.Event{Kind: kernel.ProcessSignal, At: deathBegin.Add(time.Duration(ms) * time.Millisecond), PID: 4711, Comm: "banyand", Signal: signal, Sender: sender}
	if sender == kernel.SenderProcess {
		e.SenderPID, e.SenderComm = 28939, "bash"
	}
	return e
}

func killEvent(ms int, victim kernel.Victim) *kernel.Event {
	return &kernel.Event{Kind: kernel.MemoryKill, At: deathBegin.Add(time.Duration(ms) * time.Millisecond), PID: 4711, Comm: "banyand", Victim: victim}
}

func TestDeathNamesItsCause(t *testing.T) {
	dumped := exitEvent(0, sigSEGV, 0)
	dumped.Dumped = true
	unknown := exitEvent(0, 0, 0)
	unknown.Unknown = true
	for _, of := range []struct {
		events         []*kernel.Event
		rule, severity string
		summary        string
	}{
		{[]*kernel.Event{signalEvent(0, sigKILL, kernel.SenderProcess), exitEvent(3, sigKILL, 0)}, ruleProcessEnded, severityCritical,
			"The node's process (banyand, 4711) was ended by SIGKILL of bash (28939)."},
		{[]*kernel.Event{exitEvent(3, sigKILL, 0), signalEvent(0, sigKILL, kernel.SenderKernel)}, ruleProcessEnded, severityCritical,
			"The node's process (banyand, 4711) was ended by SIGKILL of the kernel."},
		{[]*kernel.Event{killEvent(0, kernel.VictimNode), signalEvent(1, sigKILL, kernel.SenderKernel), exitEvent(5, sigKILL, 0)}, ruleMemoryKill, severityCritical,
			"The kernel has killed the node's process (banyand, 4711) for lack of memory."},
		{[]*kernel.Event{exitEvent(0, sigKILL, 0)}, ruleProcessEnded, severityCritical, "The node's process (banyand, 4711) was ended by SIGKILL."},
		{[]*kernel.Event{exitEvent(0, sigTERM, 0)}, ruleProcessEnded, severityWarning, "The node's process (banyand, 4711) was ended by SIGTERM."},
		{[]*kernel.Event{exitEvent(0, 0, 2)}, ruleProcessEnded, severityCritical, "The node's process (banyand, 4711) has exited with code 2."},
		{[]*kernel.Event{exitEvent(0, 0, 0)}, ruleProcessEnded, severityInfo, "The node's process (banyand, 4711) has exited with code 0."},
		{[]*kernel.Event{unknown}, ruleProcessEnded, severityWarning, "The node's process (banyand, 4711) has ended; the kernel does not tell how."},
		{[]*kernel.Event{dumped}, ruleProcessEnded, severityCritical, "The node's process (banyand, 4711) was ended by SIGSEGV."},
		{[]*kernel.Event{signalEvent(0, sigSEGV, kernel.SenderKernel), exitEvent(1, sigSEGV, 0)}, ruleProcessEnded, severityCritical,
			"The node's process (banyand, 4711) was ended by SIGSEGV, a fault of its own."},
		{[]*kernel.Event{signalEvent(0, sigSEGV, kernel.SenderKernel), exitEvent(9, 0, 2)}, ruleProcessEnded, severityCritical,
			"The node's process (banyand, 4711) has exited with code 2, after SIGSEGV by the kernel."},
		{[]*kernel.Event{signalEvent(0, sigABRT, kernel.SenderSelf), exitEvent(1, sigABRT, 0)}, ruleProcessEnded, severityCritical,
			"The node's process (banyand, 4711) was ended by SIGABRT, which it has sent itself."},
		// A program in Go sends itself the signal that it was sent, so that it ends by it.
		{[]*kernel.Event{signalEvent(0, sigTERM, kernel.SenderProcess), signalEvent(1, sigTERM, kernel.SenderSelf), exitEvent(2, sigTERM, 0)}, ruleProcessEnded, severityWarning,
			"The node's process (banyand, 4711) was ended by SIGTERM of bash (28939)."},
		{[]*kernel.Event{signalEvent(0, sigQUIT, kernel.SenderProcess), signalEvent(1, sigABRT, kernel.SenderSelf), exitEvent(2, sigABRT, 0)}, ruleProcessEnded, severityCritical,
			"The node's process (banyand, 4711) was ended by SIGABRT, which it has sent itself after SIGQUIT by bash (28939)."},
		{[]*kernel.Event{signalEvent(0, sigTERM, kernel.SenderProcess)}, ruleProcessSignalled, severityWarning,
			"The node's process (banyand, 4711) was sent SIGTERM by bash (28939)."},
		{[]*kernel.Event{signalEvent(0, sigSEGV, kernel.SenderProcess)}, ruleProcessSignalled, severityCritical,
			"The node's process (banyand, 4711) was sent SIGSEGV by bash (28939)."},
		{[]*kernel.Event{signalEvent(0, sigKILL, kernel.SenderKernel)}, ruleProcessSignalled, severityCritical,
			"The node's process (banyand, 4711) was sent SIGKILL by the kernel."},
		// A signal that does not show that the process ends does not hide one that does.
		{[]*kernel.Event{signalEvent(0, sigSEGV, kernel.SenderKernel), signalEvent(5, sigKILL, kernel.SenderProcess), signalEvent(6, sigTERM, kernel.SenderProcess)},
			ruleProcessSignalled, severityCritical, "The node's process (banyand, 4711) was sent SIGKILL by bash (28939)."},
		{[]*kernel.Event{signalEvent(0, sigSEGV, kernel.SenderKernel)}, "", severityCritical, ""},
		{[]*kernel.Event{signalEvent(0, sigABRT, kernel.SenderSelf)}, "", severityCritical, ""},
	} {
		d := death{process: "banyand, 4711"}
		for _, e := range of.events {
			d.add(e)
		}
		a, is := d.alert()
		require.Equal(t, of.rule != "", is, of.summary)
		require.Equal(t, of.rule, a.rule)
		require.Equal(t, of.summary, a.summary)
		require.Equal(t, of.severity, a.severity, of.summary)
		first := of.events[0].At
		for _, e := range of.events {
			if e.At.Before(first) {
				first = e.At
			}
		}
		require.Equal(t, first, a.activeAt, of.summary)
	}
}

func TestDetailsOfEvents(t *testing.T) {
	other := killEvent(0, kernel.VictimOther)
	other.Comm, other.PID = "java\n\xff", 12
	hostile := signalEvent(0, sigKILL, kernel.SenderProcess)
	hostile.SenderComm = "\x1b[2J\u202ebash"
	dumped := exitEvent(0, sigSEGV, 0)
	dumped.Dumped = true
	for want, e := range map[string]*kernel.Event{
		"SIGKILL by bash (28939)":                          signalEvent(0, sigKILL, kernel.SenderProcess),
		"SIGKILL by ?[2J?bash (28939)":                     hostile,
		"SIGSEGV by the kernel":                            signalEvent(0, sigSEGV, kernel.SenderKernel),
		"SIGABRT by itself":                                signalEvent(0, sigABRT, kernel.SenderSelf),
		"SIGTERM":                                          signalEvent(0, sigTERM, ""),
		"SIGTERM by an unknown process":                    {Kind: kernel.ProcessSignal, Signal: sigTERM, Sender: kernel.SenderProcess},
		"exit code 2":                                      exitEvent(0, 0, 2),
		"ended by SIGSEGV, with a memory dump":             dumped,
		"it is not known how":                              {Kind: kernel.ProcessExit, Unknown: true},
		"memory kill of banyand (4711), which is the node": killEvent(0, kernel.VictimNode),
		"memory kill of java?? (12)":                       other,
		"memory kill of process 7, which is the agent":     {Kind: kernel.MemoryKill, PID: 7, Victim: kernel.VictimAgent},
	} {
		require.Equal(t, want, kernelDetail(e))
	}
}

func TestSeriesOfKernelEvents(t *testing.T) {
	counts := newKernelCounts()
	require.Len(t, kernelEventSamples(&counts), 12)
	counts.traced = true
	before := kernelEventSamples(&counts)
	require.Len(t, before, 12+18+3)
	for _, s := range before {
		require.Zero(t, s.Value)
	}
	unknown := exitEvent(0, 0, 0)
	unknown.Unknown = true
	for _, e := range []*kernel.Event{exitEvent(0, 0, 0), exitEvent(0, 0, 2), exitEvent(0, 0, 77), exitEvent(0, sigKILL, 0), exitEvent(0, 31, 0), unknown,
		signalEvent(0, sigTERM, kernel.SenderProcess), signalEvent(0, 25, "somebody"), killEvent(0, kernel.VictimNode), killEvent(0, "somebody")} {
		counts.add(e)
	}
	got := map[string]float64{}
	after := kernelEventSamples(&counts)
	require.Len(t, after, len(before), "no event makes a series")
	requireGolden(t, "testdata/kernelevents.prom", pageOf(after))
	for _, s := range after {
		if s.Value != 0 {
			text := s.Name
			for _, l := range s.Labels {
				text += " " + l.Name + "=" + l.Value
			}
			got[text] = s.Value
		}
	}
	const exits, signals, kills = "fodc_node_process_exits_total", "fodc_node_process_signals_total", "fodc_kernel_oom_kills_total"
	require.Equal(t, map[string]float64{exits + " code=0 reason=exit": 1, exits + " code=2 reason=exit": 1, exits + " code=other reason=exit": 1,
		exits + " code=SIGKILL reason=signal": 1, exits + " code=other reason=signal": 1, exits + " code=unknown reason=unknown": 1,
		signals + " sender=process signal=SIGTERM": 1, signals + " sender=process signal=other": 1, kills + " victim=node": 1, kills + " victim=other": 1}, got)
}

func TestCrashOfADeath(t *testing.T) {
	d := death{exit: exitEvent(5, sigKILL, 0), signal: signalEvent(0, sigKILL, kernel.SenderProcess)}
	e, is := d.crashOf(99, "it was killed")
	require.True(t, is)
	require.Equal(t, crashExit{At: d.exit.At, PID: 99, Signal: "SIGKILL", Code: -1, Sender: "bash (28939)", Text: "it was killed"}, e)
	require.Equal(t, map[string]string{"pid": "99", "exit_signal": "SIGKILL", "signal_sender": "bash (28939)"}, e.Fields())
	d = death{exit: exitEvent(5, 0, 2)}
	e, is = d.crashOf(99, "")
	require.True(t, is)
	require.Equal(t, 2, e.Code)
	require.False(t, e.IsFailure(), "without a record of the log it is none")
	d = death{exit: exitEvent(5, sigKILL, 0), kill: killEvent(0, kernel.VictimNode)}
	e, _ = d.crashOf(99, "")
	require.True(t, e.OutOfMemory)
	for _, d := range []death{{signal: signalEvent(0, sigKILL, kernel.SenderKernel)}, {exit: exitEvent(0, sigTERM, 0)}} {
		_, is = d.crashOf(99, "")
		require.False(t, is)
	}
}
