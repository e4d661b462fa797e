package blocks

import (
	"fmt"

	"fodc/httpapi/exposition"
	"fodc/messages"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// Node is where series are from. It is for one goroutine.
type Node struct {
	labels  *exposition.SampleLabels
	builder labels.ScratchBuilder
}

// NewNode returns the node with the identity.
func NewNode(id messages.Identity) *Node {
	return &Node{labels: exposition.NewSampleLabels(id), builder: labels.NewScratchBuilder(0)}
}

// Labels returns the labels that a series of the node has on the page of a proxy, with the name
// of its samples as __name__. The error says that one of the texts is invalid.
func (n *Node) Labels(name string, own messages.LabelText) (labels.Labels, error) {
	if err := messages.CheckMetricName(name); err != nil {
		return labels.EmptyLabels(), err
	}
	all, err := n.labels.Of(own)
	if err != nil {
		return labels.EmptyLabels(), fmt.Errorf("series of %.100q: %w", name, err)
	}
	n.builder.Reset()
	n.builder.Add(model.MetricNameLabel, name)
	for _, l := range all {
		n.builder.Add(l.Name, l.Value)
	}
	n.builder.Sort()
	return n.builder.Labels(), nil
}
