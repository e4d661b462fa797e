package telemetry

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"fodc/messages"
)

// pressureController stands for the pressure files in the place of a controller. They are in the groups
// of version 2 alone, of whatever controller.
const pressureController = "pressure"

// readPressure reads the pressure stall information of the group. Of a group, "full" of the processors
// has a meaning, unlike that of the host: no task ran, since none was let.
func (g cgroup) readPressure(r *samples, whose messages.Label) error {
	const waiting, stalled = "Time in which some task of the process's control group waited for ",
		"Time in which all tasks of the process's control group waited at once for "
	var first error
	for _, p := range [...]struct{ resource, what string }{{"cpu", "a processor."}, {"memory", "memory."}, {"io", "I/O."}} {
		text, err := readText(g.dir, p.resource+".pressure")
		if err != nil {
			first = firstOf(first, err)
			continue
		}
		stall, err := parsePressure(text)
		if err != nil {
			first = firstOf(first, fmt.Errorf("%s.pressure: %w", p.resource, err))
		}
		name := "fodc_cgroup_pressure_" + p.resource
		if stall.some != nil {
			r.counter(name+"_waiting_seconds_total", waiting+p.what, microseconds(*stall.some), whose)
		}
		if stall.full != nil {
			r.counter(name+"_stalled_seconds_total", stalled+p.what, microseconds(*stall.full), whose)
		}
	}
	return first
}

// pressure is the totals of a pressure file in microseconds; nil is one that the kernel does not have.
type pressure struct{ some, full *uint64 }

// parsePressure reads lines such as "some avg10=0.00 avg60=0.00 avg300=0.00 total=5". It skips others,
// and returns an error about the first one that it cannot read, or if there is none.
func parsePressure(text string) (p pressure, first error) {
	for line := range strings.Lines(text) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		to := &p.some
		switch kind {
		case "some":
		case "full":
			to = &p.full
		default:
			continue
		}
		_, number, _ := strings.Cut(rest, " total=")
		number, _, _ = strings.Cut(number, " ")
		total, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			first = firstOf(first, fmt.Errorf("a line has no total: %.100q", line))
			continue
		}
		if *to == nil {
			*to = &total
		}
	}
	if p.some == nil && p.full == nil {
		first = firstOf(first, errors.New("it has no totals"))
	}
	return p, first
}
