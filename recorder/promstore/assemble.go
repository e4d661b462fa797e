package promstore

import (
	"context"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// assembler makes the series of a selection, family by family, node by node.
type assembler struct {
	watch     *watch
	selection *selection
	known     *knownLabels
	families  *familyMatcher
	// matchers are those of labels other than the name.
	matchers []*labels.Matcher
	// nodes are those with series that may match.
	nodes    []matchingNode
	node     matchingNode
	grouping grouping
	groups   []group
	// ready are the series that are to be returned next.
	ready   []storage.Series
	next    int
	series  slab[series]
	chunks  slab[chunk]
	bounds  slab[bounds]
	scratch []chunk
	merging merger
	// invalid counts the series that were left out since their labels, names or values are invalid.
	invalid int
}

// matchingNode is a node with series that may match. rest are the matchers that each of them is to
// be asked.
type matchingNode struct {
	source
	rest   []*labels.Matcher
	bounds *bounds
}

func newAssembler(ctx context.Context, s *selection, known *knownLabels, ownNode bool) *assembler {
	a := &assembler{watch: &watch{ctx: ctx}, selection: s, known: known}
	a.families, a.matchers = newFamilyMatcher(a.watch, s.matchers, ownNode)
	a.families.only = s.names
	a.nodes = make([]matchingNode, 0, len(s.sources))
	for _, from := range s.sources {
		if rest, ok := from.mayMatch(a.matchers); ok {
			a.nodes = append(a.nodes, matchingNode{source: from, rest: rest})
		}
	}
	return a
}

// answers returns those of the nodes with series that may match.
func (a *assembler) answers() []*messages.NodeAnswer {
	answers := make([]*messages.NodeAnswer, len(a.nodes))
	for i := range a.nodes {
		answers[i] = a.nodes[i].answer
	}
	return answers
}

// Next returns the next series, in no particular order. It returns nil when there is none, or the
// query has ended.
func (a *assembler) Next() storage.Series {
	for a.next == len(a.ready) {
		a.ready, a.next = a.ready[:0], 0
		switch {
		case len(a.groups) > 0:
			a.emit(&a.groups[0])
			a.groups = a.groups[1:]
		case len(a.nodes) > 0:
			a.begin(a.nodes[0])
			a.nodes = a.nodes[1:]
		default:
			return nil
		}
	}
	a.next++
	return a.ready[a.next-1]
}

// begin begins with the series of a node.
func (a *assembler) begin(n matchingNode) {
	n.bounds = &a.bounds.take(1)[0]
	*n.bounds = bounds{offset: n.offset, end: a.selection.end - n.offset}
	a.node = n
	a.groups = a.grouping.of(n.node, a.families, a.selection)
	if a.families.about {
		a.addAbout(n.source)
	}
}

// emit makes the series of a group.
func (a *assembler) emit(g *group) {
	switch {
	case len(g.blocks) == 0:
	case a.areAligned(g):
		a.emitAligned(g)
	default:
		a.merging.begin(a, g)
		for i := range g.blocks {
			a.merging.add(&g.blocks[i])
		}
		a.merging.end()
	}
}

// areAligned reports whether all blocks have the same series in the same order, which are different.
func (a *assembler) areAligned(g *group) bool {
	first := g.blocks[0].family
	for i := range g.blocks {
		b := &g.blocks[i]
		f := b.family
		if f.Descriptor == nil || !f.Descriptor.Normalized || f.Descriptor != first.Descriptor ||
			f.Claimed != nil && !a.node.labels.labels.Repeats(*f.Claimed) || !b.hasAllValues() {
			return false
		}
	}
	return true
}

func (b *familyBlock) hasAllValues() bool {
	n := len(b.family.Series) * len(b.times)
	return len(b.values) == n || b.values == nil && len(b.family.Values) == n
}

func (a *assembler) emitAligned(g *group) {
	names := g.blocks[0].names
	var known []labels.Labels
	if d := g.blocks[0].family.Descriptor; !d.Own && a.selection.names != nil {
		known = a.known.of(a.node.node, d, names)
	}
	for i := range g.blocks[0].family.Series {
		s := &g.blocks[0].family.Series[i]
		if s.Suffix > messages.SuffixCount || !names.matches[s.Suffix] {
			continue
		}
		a.scratch = a.scratch[:0]
		for j := range g.blocks {
			if c, ok := newChunk(g.blocks[j].timeRange, g.blocks[j].valuesOf(i)); ok {
				a.scratch = append(a.scratch, c)
			}
		}
		if len(a.scratch) == 0 {
			continue
		}
		var l labels.Labels
		ok := false
		if known == nil {
			l, ok = a.labelsOf(names.names[s.Suffix], s.Labels)
		} else {
			l, ok = known[i], a.watch.matchesAll(a.node.rest, known[i])
		}
		if ok {
			chunks := a.chunks.take(len(a.scratch))
			copy(chunks, a.scratch)
			a.add(l, chunks)
		}
	}
}

// labelsOf returns the labels of a series of the present node. ok is false if they do not match, or
// are invalid.
func (a *assembler) labelsOf(name string, own messages.LabelText) (l labels.Labels, ok bool) {
	l, err := a.node.labels.Labels(name, own)
	if err != nil {
		a.invalid++
		return l, false
	}
	return l, a.watch.matchesAll(a.node.rest, l)
}

// add adds a series to those that are ready.
func (a *assembler) add(l labels.Labels, chunks []chunk) {
	s := &a.series.take(1)[0]
	*s = series{labels: l, chunks: chunks, bounds: a.node.bounds}
	if s.sort(); s.isTangled() {
		a.invalid++
		return
	}
	a.ready = append(a.ready, s)
}

// maxSlab bounds the elements that are allocated at once.
const maxSlab = 256

// slab allocates elements that live long.
type slab[T any] struct {
	free []T
	// last is how many were allocated last.
	last int
}

// take returns n elements, with no room behind them.
func (s *slab[T]) take(n int) []T {
	if n > len(s.free) {
		if n > maxSlab/4 {
			return make([]T, n)
		}
		s.last = min(max(2*s.last, 4*n), maxSlab)
		s.free = make([]T, s.last)
	}
	taken := s.free[:n:n]
	s.free = s.free[n:]
	return taken
}
