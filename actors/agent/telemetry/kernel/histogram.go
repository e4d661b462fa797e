package kernel

import (
	"strconv"

	"fodc/messages"
	"fodc/recorder"
)

const (
	// slots is how many slots a histogram has in the kernel: slot i counts what took at most 2^i microseconds and more than slot
	// i-1 does, the last one what took longer.
	slots = 26
	// firstEdge is the slot of the first bucket that is shown: 16 us. From there each second edge is shown.
	firstEdge = 4
)

// Histogram is what the kernel has counted.
type Histogram struct {
	Sum   uint64 // ns
	Slots [slots]uint64
}

func (h *Histogram) add(more Histogram) {
	h.Sum += more.Sum
	for i, n := range more.Slots {
		h.Slots[i] += n
	}
}

// edges are the labels of the buckets, in seconds, by slot.
var edges = func() (texts [slots - 1]string) {
	for i := range texts {
		texts[i] = strconv.FormatFloat(float64(uint64(1)<<i)/1e6, 'g', -1, 64)
	}
	return texts
}()

// samples appends the samples of a histogram: its buckets, and its sum in seconds.
func (h *Histogram) samples(to []recorder.Sample, name, help string, labels ...messages.Label) []recorder.Sample {
	add := func(suffix messages.Suffix, value float64, labels []messages.Label) {
		to = append(to, recorder.Sample{Name: name, Suffix: suffix, Type: messages.TypeHistogram, Help: help, Value: value, Labels: labels})
	}
	bucket := func(le string, count uint64) {
		add(messages.SuffixBucket, float64(count), append(labels[:len(labels):len(labels)], messages.Label{Name: "le", Value: le}))
	}
	var count uint64
	for i, n := range h.Slots[:slots-1] {
		count += n
		if i >= firstEdge && i%2 == 0 {
			bucket(edges[i], count)
		}
	}
	count += h.Slots[slots-1]
	bucket("+Inf", count)
	add(messages.SuffixSum, float64(h.Sum)/1e9, labels)
	add(messages.SuffixCount, float64(count), labels)
	return to
}
