package agent

import "fodc/actors/agent/telemetry/kernel"

// What the states know of package kernel, which asks the kernel: plain data, and functions of it.
type (
	kernelEvent  = kernel.Event
	kernelSender = kernel.Sender
	kernelVictim = kernel.Victim
)

const (
	kernelExit       = kernel.ProcessExit
	kernelSignal     = kernel.ProcessSignal
	kernelMemoryKill = kernel.MemoryKill

	sentByKernel  = kernel.SenderKernel
	sentByProcess = kernel.SenderProcess
	sentBySelf    = kernel.SenderSelf

	victimNode  = kernel.VictimNode
	victimAgent = kernel.VictimAgent
	victimOther = kernel.VictimOther
)

func signalName(number int) string        { return kernel.SignalName(number) }
func printableProcess(comm string) string { return kernel.Printable(comm) }
