package promstore

import (
	"slices"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
)

// collection is what the nodes have answered to an ask.
type collection struct {
	*ask
	// at is when it was asked, in unix milliseconds.
	at    int64
	nodes []*node
}

// node is one node's part of a collection.
type node struct {
	answer *messages.NodeAnswer
	// labels are those of its series, identity the labels that all of them have.
	labels   *NodeLabels
	identity map[string]string
	// offset is what is to be added to the times of its samples, in milliseconds.
	offset int64
	// data are its blocks with series.
	data []block
	// scrapes has the times of all scrapes of each target, ascending, where they are known.
	scrapes map[string][]int64
}

// block is a block of a node, with the times of all scrapes of its target: at least its own.
type block struct {
	*messages.Block
	scrapes []int64
}

// source is a node's samples for a selection.
type source struct {
	*node
	// of is the collection that they are from.
	of *collection
}

func newCollection(a *ask, at int64, c *messages.Collection) *collection {
	all := &collection{ask: a, at: at, nodes: make([]*node, 0, len(c.Nodes))}
	for i := range c.Nodes {
		all.nodes = append(all.nodes, newNode(&c.Nodes[i]))
	}
	return all
}

func newNode(a *messages.NodeAnswer) *node {
	n := &node{answer: a, labels: NewNodeLabels(a.Identity), identity: make(map[string]string), offset: a.ClockOffset.Milliseconds()}
	for _, l := range a.Identity.AppendSampleLabels(nil) {
		// An agent that has not said its pod may have samples that do.
		if l.Name != messages.LabelPodName || !a.Identity.PodNameIsNodeID {
			n.identity[l.Name] = l.Value
		}
	}
	if a.Missing != messages.MissingNone {
		return n
	}
	for i := range a.Blocks {
		switch b := &a.Blocks[i]; {
		case len(b.Times) == 0:
		case len(b.Families) > 0:
			n.data = append(n.data, block{Block: b})
		default:
			if n.scrapes == nil {
				n.scrapes = make(map[string][]int64)
			}
			n.scrapes[b.Target] = append(n.scrapes[b.Target], b.Times...)
		}
	}
	for _, times := range n.scrapes {
		slices.Sort(times)
	}
	for i := range n.data {
		b := &n.data[i]
		if b.scrapes = n.scrapes[b.Target]; b.scrapes == nil {
			b.scrapes = b.Times
		}
	}
	return n
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
	for _, m := range matchers {
		value, fixed := n.identity[m.Name]
		switch {
		case !fixed:
			rest = append(rest, m)
		case !m.Matches(value):
			return nil, false
		}
	}
	return rest, true
}
