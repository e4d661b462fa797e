package wire

import (
	"slices"

	"fodc/messages"

	"google.golang.org/protobuf/proto"
)

// maxKnownLabelBytes bounds the label maps that are kept for the next answer, by their
// encoded size. In memory they take some four times as much.
const maxKnownLabelBytes = 2 << 20

// BaselineLabels makes the labels of the samples of one session in baseline form. It keeps
// them from answer to answer, as most series are in all of them. The zero BaselineLabels
// stamps nothing.
type BaselineLabels struct {
	stamped []messages.Label
	known   map[messages.LabelText]labelMap
	bytes   int  // of all that are known
	full    bool // some had no room
}

// NewBaselineLabels returns the labels for a proxy that stamps no sample itself: each gets
// what an agent in the field stamps, which is all of the node's identity but node_id.
func NewBaselineLabels(id messages.Identity) *BaselineLabels {
	isNodeID := func(l messages.Label) bool { return l.Name == messages.LabelNodeID }
	return &BaselineLabels{stamped: slices.DeleteFunc(id.AppendSampleLabels(nil), isNodeID)}
}

// labelMap is the labels of a series as a Metric has them. It must not be changed: all
// samples of the series share it, also in frames that are being sent.
type labelMap struct {
	byName map[string]string
	bytes  int // of the field in a Metric, encoded
}

// of returns the labels of a series.
func (l *BaselineLabels) of(text messages.LabelText) labelMap {
	if m, ok := l.known[text]; ok {
		return m
	}
	labels := messages.StampLabels(text.Labels(), l.stamped)
	if len(labels) == 0 {
		return labelMap{}
	}
	m := labelMap{byName: make(map[string]string, len(labels))}
	for _, of := range labels {
		m.byName[of.Name] = of.Value
	}
	m.bytes = proto.Size(&Metric{Labels: m.byName})
	if l.bytes+m.bytes <= maxKnownLabelBytes {
		if l.known == nil {
			l.known = map[messages.LabelText]labelMap{}
		}
		l.known[text] = m
		l.bytes += m.bytes
	} else {
		l.full = true
	}
	return m
}

// evict forgets all labels if some had no room: those of series that are gone may take it.
func (l *BaselineLabels) evict() {
	if l.full {
		*l = BaselineLabels{stamped: l.stamped}
	}
}
