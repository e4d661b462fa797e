package telemetry

import (
	"fmt"
	"slices"

	"fodc/messages"
	"fodc/recorder"
)

// collector reads one part of a source. If it returns an error, the samples that it has
// added already are kept.
type collector struct {
	part string
	read func(*samples) error
}

// expectedSamples is the number of samples of a host of usual size.
const expectedSamples = 256

// collect runs the collectors.
func collect(collectors []collector) Result {
	r := samples{list: make([]recorder.Sample, 0, expectedSamples)}
	outcomes := make([]Outcome, 0, len(collectors)+1)
	for _, c := range collectors {
		outcomes = append(outcomes, Outcome{c.part, c.run(&r)})
	}
	return Result{Samples: r.list, Outcomes: outcomes}
}

// run turns a panic into an error. The procfs library panics on some malformed files, and
// the read runs in a goroutine that nobody supervises.
func (c collector) run(r *samples) (err error) {
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

// samples collects what the collectors of a source read.
type samples struct{ list []recorder.Sample }

func (r *samples) add(t messages.MetricType, name, help string, value float64, labels ...messages.Label) {
	r.list = append(r.list, recorder.Sample{Name: name, Type: t, Help: help, Value: value, Labels: labels})
}

func (r *samples) gauge(name, help string, value float64, labels ...messages.Label) {
	r.add(messages.TypeGauge, name, help, value, labels...)
}

func (r *samples) counter(name, help string, value float64, labels ...messages.Label) {
	r.add(messages.TypeCounter, name, help, value, labels...)
}

// maxDevices bounds the disks that are read, the network interfaces and the processors. Of
// more than that, the first by name are read.
const maxDevices = 256

// firstByName returns the first maxDevices names, and an error if there are more.
func firstByName(kind string, names []string) ([]string, error) {
	slices.Sort(names)
	if len(names) > maxDevices {
		return names[:maxDevices], fmt.Errorf("%d %s: the first %d are read", len(names), kind, maxDevices)
	}
	return names, nil
}

// metric is read of each device of a kind.
type metric[T any] struct {
	kind       messages.MetricType
	name, help string
	value      func(T) float64
}

// addMetrics adds the metrics of one device.
func addMetrics[T any](r *samples, metrics []metric[T], device T, labels ...messages.Label) {
	for _, m := range metrics {
		r.add(m.kind, m.name, m.help, m.value(device), labels...)
	}
}
