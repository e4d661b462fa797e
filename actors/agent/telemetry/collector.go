package telemetry

import (
	"fmt"
	"slices"

	"fodc/messages"
	"fodc/recorder"
)

// collector reads one part of a source. What it has added when it returns an error is
// kept.
type collector struct {
	part string
	read func(*readings) error
}

// expectedReadings is how many a host gives that is not large.
const expectedReadings = 256

// collect runs the collectors.
func collect(collectors []collector) Result {
	r := readings{list: make([]recorder.Sample, 0, expectedReadings)}
	outcomes := make([]Outcome, 0, len(collectors)+1)
	for _, c := range collectors {
		outcomes = append(outcomes, Outcome{c.part, c.run(&r)})
	}
	return Result{Readings: r.list, Outcomes: outcomes}
}

// run takes a panic for an error: library code panics on some contents that no kernel
// should give, and the read runs in a goroutine that nobody supervises.
func (c collector) run(r *readings) (err error) {
	before := len(r.list)
	defer func() {
		if p := recover(); p != nil {
			r.list = slices.Delete(r.list, before, len(r.list))
			err = unexpected(c.part, p)
		}
	}()
	return c.read(r)
}

func unexpected(part string, panicked any) error {
	return fmt.Errorf("read %s: unexpected contents: %v", part, panicked)
}

// readings are put together by collectors.
type readings struct{ list []recorder.Sample }

func (r *readings) add(t messages.MetricType, name, help string, value float64, labels ...messages.Label) {
	r.list = append(r.list, recorder.Sample{Name: name, Type: t, Help: help, Value: value, Labels: labels})
}

func (r *readings) gauge(name, help string, value float64, labels ...messages.Label) {
	r.add(messages.TypeGauge, name, help, value, labels...)
}

func (r *readings) counter(name, help string, value float64, labels ...messages.Label) {
	r.add(messages.TypeCounter, name, help, value, labels...)
}

// maxDevices bounds the disks, network interfaces and processors that are read, of
// each the first by name.
const maxDevices = 256

// limited returns the first of the names, and an error if there are more.
func limited(kind string, names []string) ([]string, error) {
	slices.Sort(names)
	if len(names) > maxDevices {
		return names[:maxDevices], fmt.Errorf("%d %s: the first %d are read", len(names), kind, maxDevices)
	}
	return names, nil
}

// metric is one of several that are read of each device.
type metric[T any] struct {
	kind       messages.MetricType
	name, help string
	value      func(T) float64
}

// addEach adds the metrics of one device.
func addEach[T any](r *readings, metrics []metric[T], device T, labels ...messages.Label) {
	for _, m := range metrics {
		r.add(m.kind, m.name, m.help, m.value(device), labels...)
	}
}
