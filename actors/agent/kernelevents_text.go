package agent

import (
	"fmt"
	"strconv"

	"fodc/actors/agent/telemetry/kernel"
	"fodc/recorder"
)

// processText returns a process for texts: "banyand (4711)".
func processText(comm string, pid int) string {
	switch comm = kernel.Printable(comm); {
	case comm == "" && pid == 0:
		return "an unknown process"
	case comm == "":
		return "process " + strconv.Itoa(pid)
	case pid == 0:
		return comm
	}
	return fmt.Sprintf("%s (%d)", comm, pid)
}

// senderText returns who has sent a signal, empty if that is not known.
func senderText(e *kernel.Event) string {
	switch e.Sender {
	case kernel.SenderKernel:
		return "the kernel"
	case kernel.SenderSelf:
		return "itself"
	case kernel.SenderProcess:
		return processText(e.SenderComm, e.SenderPID)
	}
	return ""
}

// kernelDetail returns what has happened, for the events of the recorder.
func kernelDetail(e *kernel.Event) string {
	switch e.Kind {
	case kernel.ProcessSignal:
		if sender := senderText(e); sender != "" {
			return kernel.SignalName(e.Signal) + " by " + sender
		}
		return kernel.SignalName(e.Signal)
	case kernel.MemoryKill:
		text := "memory kill of " + processText(e.Comm, e.PID)
		switch e.Victim {
		case kernel.VictimNode:
			text += ", which is the node"
		case kernel.VictimAgent:
			text += ", which is the agent"
		}
		return text
	}
	dump := ""
	if e.Dumped {
		dump = ", with a memory dump"
	}
	switch {
	case e.Unknown:
		return "it is not known how"
	case e.Signal != 0:
		return "ended by " + kernel.SignalName(e.Signal) + dump
	}
	return "exit code " + strconv.Itoa(e.Code) + dump
}

// recorderEvent returns an event as the recorder has it.
func recorderEvent(e *kernel.Event) recorder.Event {
	kinds := map[kernel.EventKind]recorder.EventKind{kernel.ProcessExit: recorder.EventProcessExit,
		kernel.ProcessSignal: recorder.EventProcessSignal, kernel.MemoryKill: recorder.EventMemoryKill}
	return recorder.Event{Kind: kinds[e.Kind], Target: hostTarget, At: e.At, Last: e.At, Detail: kernelDetail(e)}
}

// kernelTimeline returns an event of the recorder as timelines of incidents have it; no kind: it is none of the kernel's.
func kernelTimeline(e *recorder.Event) (kind, text string) {
	switch e.Kind {
	case recorder.EventProcessExit:
		return "exit", "the node's process has ended: " + e.Detail
	case recorder.EventProcessSignal:
		return "signal", "the node's process was sent " + e.Detail
	case recorder.EventMemoryKill:
		return "memory", "the kernel was short of memory: " + e.Detail
	}
	return "", ""
}
