package agent

import (
	"maps"
	"slices"
	"strconv"

	"fodc/messages"
	"fodc/recorder"
)

// otherLabel stands for all values that have no series of their own.
const otherLabel = "other"

// The values of labels that have a series each. All others are otherLabel.
var (
	countedCodes   = []string{"0", "1", "2", otherLabel}
	countedEnders  = []string{"SIGKILL", "SIGTERM", "SIGINT", "SIGSEGV", "SIGABRT", "SIGBUS", otherLabel}
	countedSignals = []string{"SIGKILL", "SIGTERM", "SIGQUIT", "SIGSEGV", "SIGABRT", otherLabel}
	countedSenders = []kernelSender{sentByKernel, sentByProcess, sentBySelf}
	countedVictims = []kernelVictim{victimNode, victimAgent, victimOther}
)

// The reasons of exits.
const (
	exitByCode   = "exit"
	exitBySignal = "signal"
	exitUnknown  = "unknown"
)

type (
	exitSeries   struct{ reason, code string }
	signalSeries struct {
		signal string
		sender kernelSender
	}
)

// kernelCounts counts events.
type kernelCounts struct {
	exits   map[exitSeries]uint64
	signals map[signalSeries]uint64
	kills   map[kernelVictim]uint64
	// traced says that signals and memory kills are told of: a process was followed.
	traced bool
}

func newKernelCounts() kernelCounts {
	return kernelCounts{exits: map[exitSeries]uint64{}, signals: map[signalSeries]uint64{}, kills: map[kernelVictim]uint64{}}
}

// clone returns a copy that shares nothing.
func (k *kernelCounts) clone() *kernelCounts {
	return &kernelCounts{exits: maps.Clone(k.exits), signals: maps.Clone(k.signals), kills: maps.Clone(k.kills), traced: k.traced}
}

func labelOf(value string, counted []string) string {
	if slices.Contains(counted, value) {
		return value
	}
	return otherLabel
}

// add counts an event.
func (k *kernelCounts) add(e *kernelEvent) {
	switch e.Kind {
	case kernelExit:
		switch {
		case e.Unknown:
			k.exits[exitSeries{exitUnknown, exitUnknown}]++
		case e.Signal != 0:
			k.exits[exitSeries{exitBySignal, labelOf(signalName(e.Signal), countedEnders)}]++
		default:
			k.exits[exitSeries{exitByCode, labelOf(strconv.Itoa(e.Code), countedCodes)}]++
		}
	case kernelSignal:
		sender := e.Sender
		if !slices.Contains(countedSenders, sender) {
			sender = sentByProcess
		}
		k.signals[signalSeries{labelOf(signalName(e.Signal), countedSignals), sender}]++
	case kernelMemoryKill:
		victim := e.Victim
		if !slices.Contains(countedVictims, victim) {
			victim = victimOther
		}
		k.kills[victim]++
	}
}

// kernelEventSamples are the metrics of the events. All series are there from the start, so that increase() sees the first event.
func kernelEventSamples(k *kernelCounts) (samples []recorder.Sample) {
	add := func(name, help string, n uint64, labels ...messages.Label) {
		s := counter(name, help, float64(n))
		s.Labels = labels
		samples = append(samples, s)
	}
	exit := func(reason, code string) {
		add("fodc_node_process_exits_total", "Exits of the node's process, by how it has ended.", k.exits[exitSeries{reason, code}],
			messages.Label{Name: "code", Value: code}, messages.Label{Name: "reason", Value: reason})
	}
	for _, code := range countedCodes {
		exit(exitByCode, code)
	}
	for _, signal := range countedEnders {
		exit(exitBySignal, signal)
	}
	exit(exitUnknown, exitUnknown)
	if !k.traced {
		return samples
	}
	for _, signal := range countedSignals {
		for _, sender := range countedSenders {
			add("fodc_node_process_signals_total", "Signals that end a process unless it handles them, sent to the node's process.",
				k.signals[signalSeries{signal, sender}], messages.Label{Name: "sender", Value: string(sender)}, messages.Label{Name: "signal", Value: signal})
		}
	}
	for _, victim := range countedVictims {
		add("fodc_kernel_oom_kills_total", "Processes that the kernel has killed for lack of memory.", k.kills[victim], messages.Label{Name: "victim", Value: string(victim)})
	}
	return samples
}
