package agent

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The names under which deaths are in incidents, as if they were rules.
const (
	ruleProcessEnded     = "ProcessEnded"
	ruleProcessSignalled = "ProcessSignalled"
	ruleMemoryKill       = "MemoryKill"
)

// deathTime is how long the first event of a death waits for the others: the memory kill, the signal and the exit of one death
// come within milliseconds.
const deathTime = 250 * time.Millisecond

// The signals of Linux that matter here.
const (
	sigHUP, sigINT, sigQUIT, sigABRT = 1, 2, 3, 6
	sigKILL, sigSEGV, sigTERM        = 9, 11, 15
)

// faults are the signals that the kernel sends to a thread for what it has done. A runtime such as that of Go makes errors of them
// which a program may survive, if it is the kernel that sends them.
var faults = []int{4, 5, 7, 8, sigSEGV, 31}

// requests are the signals that ask a process to end.
var requests = []int{sigHUP, sigINT, sigTERM}

func isRequest(signal int) bool { return slices.Contains(requests, signal) }

// endsProcess reports whether a signal may belong to a death. Others are recorded, such as that of a pipe whose reader is gone.
func endsProcess(signal int) bool {
	return signal == sigKILL || signal == sigQUIT || signal == sigABRT || isRequest(signal) || slices.Contains(faults, signal)
}

// death is what has happened to one process within deathTime.
type death struct {
	// process is the one, for texts.
	process string
	until   time.Time
	// began is when the first of its events was.
	began time.Time
	// asked says that a signal has asked the process to end, which has opened an incident.
	asked bool
	// The events of it; nil: there was none. signal is the last one that may have ended it. outside is the one of another process, or
	// of the kernel, that came before one that the process has sent itself: many do that when they are told to end.
	kill, signal, outside, exit *kernelEvent
}

// add adds an event.
func (d *death) add(e *kernelEvent) {
	if d.began.IsZero() || e.At.Before(d.began) {
		d.began = e.At
	}
	switch e.Kind {
	case kernelMemoryKill:
		d.kill = e
	case kernelSignal:
		d.addSignal(e)
	case kernelExit:
		d.exit = e
	}
}

func (d *death) addSignal(e *kernelEvent) {
	switch {
	case d.signal == nil:
	case d.signal.Signal == sigKILL:
		return
	case e.Sender == sentBySelf && d.signal.Sender != sentBySelf:
		if e.Signal == d.signal.Signal {
			return
		}
		d.outside = d.signal
	}
	d.signal = e
}

// endingTime is how long after a memory kill, or a signal that ends a process, its exit is taken to be due to it.
const endingTime = 5 * time.Minute

// follows takes over what was to end the process before its exit at a time; nil: nothing was.
func (d *death) follows(earlier *death, at time.Time) {
	if earlier != nil && at.Sub(earlier.began).Abs() < endingTime {
		d.kill, d.signal = cmp.Or(d.kill, earlier.kill), cmp.Or(d.signal, earlier.signal)
	}
}

// alert returns the death as an alert; false: nothing of it shows that the process ends.
func (d *death) alert() (a ruleAlert, is bool) {
	a = ruleAlert{severity: severityCritical, activeAt: d.began, labels: map[string]string{}}
	switch {
	case d.kill != nil:
		a.rule, a.summary = ruleMemoryKill, fmt.Sprintf("The kernel has killed the node's process (%s) for lack of memory.", d.process)
		a.labels["victim"] = string(victimNode)
	case d.exit != nil:
		d.exitAlert(&a)
	case d.signal.Signal != sigKILL && (d.signal.Sender == sentByKernel || d.signal.Sender == sentBySelf):
		return a, false // The process may go on.
	default:
		a.rule, a.labels["signal"] = ruleProcessSignalled, signalName(d.signal.Signal)
		a.summary = fmt.Sprintf("The node's process (%s) was sent %s.", d.process, kernelDetail(d.signal))
		if isRequest(d.signal.Signal) {
			a.severity = severityWarning
		}
	}
	return a, true
}

func (d *death) exitAlert(a *ruleAlert) {
	a.rule = ruleProcessEnded
	process := "The node's process (" + d.process + ") "
	switch e := d.exit; {
	case e.Unknown:
		a.summary, a.severity = process+"has ended"+d.cause()+"; the kernel does not tell how.", severityWarning
	case e.Signal != 0:
		a.labels["signal"] = signalName(e.Signal)
		a.summary = process + "was ended by " + signalName(e.Signal) + d.bySender() + "."
		if isRequest(e.Signal) {
			a.severity = severityWarning
		}
	default:
		a.labels["code"] = strconv.Itoa(e.Code)
		a.summary = process + "has exited with code " + strconv.Itoa(e.Code) + d.cause() + "."
		if e.Code == 0 {
			a.severity = severityInfo
		}
		if e.Code == 2 {
			a.description = "A Go program exits with code 2 after a panic or a fatal error, and after SIGQUIT: its log has the stacks."
		}
	}
}

// bySender returns who has sent the signal that has ended the process: " of bash (28939)".
func (d *death) bySender() string {
	s := d.signal
	switch {
	case s == nil || s.Signal != d.exit.Signal || s.Sender == "":
		return ""
	case s.Sender == sentByKernel && slices.Contains(faults, s.Signal):
		return ", a fault of its own"
	case s.Sender == sentBySelf:
		if d.outside != nil {
			return ", which it has sent itself after " + kernelDetail(d.outside)
		}
		return ", which it has sent itself"
	}
	return " of " + senderText(s)
}

// cause returns the signal before an exit that is not by that signal: ", after SIGTERM by systemd (1)".
func (d *death) cause() string {
	if d.signal == nil {
		return ""
	}
	return ", after " + kernelDetail(d.signal)
}

// crashOf returns the end of the process as records of crashes have it; false: it has ended as others wanted, or nobody knows how.
func (d *death) crashOf(pid int, summary string) (e crashExit, is bool) {
	if d.exit == nil || d.exit.Unknown || isRequest(d.exit.Signal) {
		return e, false
	}
	e = crashExit{At: d.exit.At, PID: pid, Code: -1, OutOfMemory: d.kill != nil, Text: summary}
	if d.exit.Signal != 0 {
		e.Signal = signalName(d.exit.Signal)
	} else {
		e.Code = d.exit.Code
	}
	if d.signal != nil && d.signal.Signal == d.exit.Signal {
		e.Sender = senderText(d.signal)
	}
	return e, true
}
