package promstore

import (
	"sync"
	"unsafe"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
)

// maxKnownBytes bounds the labels that a store keeps. What most dashboards ask for fits: about 50,000
// series.
const maxKnownBytes = 16 << 20

// knownLabels keeps the labels of series whose families answers share, so that they are made once and
// not for each query. If there are too many, all are forgotten. Queries that name no families do not use
// it: they would make it forget the others.
type knownLabels struct {
	mu    sync.Mutex
	bytes int
	all   map[knownKey][]labels.Labels
}

// knownKey is a family of a node, with all that its labels depend on.
type knownKey struct {
	family          *messages.Descriptor
	identity        messages.LabelText
	podNameIsNodeID bool
}

// of returns the labels of the family's series, whose names are given by suffix; nil if some of them
// are invalid, or are too many to be kept.
func (k *knownLabels) of(n *node, family *messages.Descriptor, names *familyNames) []labels.Labels {
	key := knownKey{family, n.labels.labels.Identity(), n.answer.Identity.PodNameIsNodeID}
	k.mu.Lock()
	known := k.all[key]
	k.mu.Unlock()
	if known != nil {
		return known
	}
	known = make([]labels.Labels, len(family.Series))
	bytes := len(key.identity) + int(unsafe.Sizeof(key))
	for i := range family.Series {
		s := &family.Series[i]
		if s.Suffix > messages.SuffixCount {
			return nil
		}
		var err error
		if known[i], err = n.labels.Labels(names.names[s.Suffix], s.Labels); err != nil {
			return nil
		}
		bytes += int(unsafe.Sizeof(known[i])) + int(known[i].ByteSize())
		if bytes > maxKnownBytes/2 {
			return nil
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all[key] == nil { // Another query may have been faster.
		if k.bytes += bytes; k.all == nil || k.bytes > maxKnownBytes {
			k.all, k.bytes = make(map[knownKey][]labels.Labels), bytes
		}
		k.all[key] = known
	}
	return known
}
