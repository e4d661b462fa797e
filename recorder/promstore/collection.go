package promstore

import (
	"slices"

	"fodc/httpapi/exposition"
	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
)

// collection is what the nodes have answered to a request.
type collection struct {
	*request
	// at is when it was asked, in unix milliseconds.
	at    int64
	nodes []node
}

// node is one node's part of a collection.
type node struct {
	answer *messages.NodeAnswer
	// labels are those of its series.
	labels NodeLabels
	// offset is what is to be added to the times of its samples, in milliseconds.
	offset int64
	// data are its blocks with series.
	data []block
	// scrapes has the times of all scrapes of each target, ascending, where they are known: those of its
	// samples, and those of scrapes without any.
	scrapes map[string]scrapeTimes
}

// block is a block of a node, with the times of all scrapes of its target: at least its own.
type block struct {
	*messages.Block
	scrapes scrapeTimes
}

// source is a node's samples for a selection.
type source struct {
	*node
	// of is the collection that they are from.
	of *collection
}

func newCollection(r *request, at int64, c *messages.Collection) *collection {
	all := &collection{request: r, at: at, nodes: make([]node, len(c.Nodes))}
	memory := &labelMemory{} // One goroutine reads all selections of a querier.
	for i := range c.Nodes {
		n := &all.nodes[i]
		n.answer, n.labels = &c.Nodes[i], NodeLabels{exposition.SampleLabelsOf(&c.Nodes[i]), memory}
		n.init()
	}
	return all
}

// init sets what is read from the answer.
func (n *node) init() {
	a := n.answer
	n.offset = a.ClockOffset.Milliseconds()
	if a.Missing != messages.MissingNone {
		return
	}
	n.data = make([]block, 0, len(a.Blocks))
	for i := range a.Blocks {
		b := &a.Blocks[i]
		if len(b.Times) == 0 {
			continue
		}
		if b.Target != "" {
			if n.scrapes == nil {
				n.scrapes = make(map[string]scrapeTimes)
			}
			n.scrapes[b.Target] = n.scrapes[b.Target].with(b.Times, len(a.Blocks))
		}
		if len(b.Families) > 0 {
			n.data = append(n.data, block{Block: b})
		}
	}
	for target, times := range n.scrapes {
		n.scrapes[target] = times.sorted()
	}
	for i := range n.data {
		b := &n.data[i]
		if b.scrapes = n.scrapes[b.Target]; b.scrapes == nil {
			b.scrapes = scrapeTimes{b.Times}
		}
	}
}

// newest returns the time of the newest sample of the node. ok is false if it has none.
func (n *node) newest() (at int64, ok bool) {
	for _, b := range n.data {
		if last := b.Times[len(b.Times)-1] + n.offset; !ok || last > at {
			at, ok = last, true
		}
	}
	return at, ok
}

// mayMatch reports whether series of the node can match, as far as the labels say that all of them
// have. rest are the matchers that each series is to be asked.
func (n *node) mayMatch(matchers []*labels.Matcher) (rest []*labels.Matcher, ok bool) {
	rest = matchers
	for i, m := range matchers {
		switch value, fixed := n.labels.labels.Stamped(m.Name); {
		case !fixed && len(rest) < len(matchers):
			rest = append(rest, m)
		case !fixed:
		case !m.Matches(value):
			return nil, false
		case len(rest) == len(matchers):
			rest = slices.Clone(matchers[:i])
		}
	}
	return rest, true
}
