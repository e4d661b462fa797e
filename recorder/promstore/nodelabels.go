package promstore

import (
	"fmt"

	"fodc/httpapi/exposition"
	"fodc/messages"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// NodeLabels says which labels the series of a node have. It is for one goroutine.
type NodeLabels struct {
	labels *exposition.SampleLabels
	*labelMemory
}

// labelMemory is the memory in which labels are made.
type labelMemory struct {
	scratch []messages.Label
	builder labels.ScratchBuilder
}

// NewNodeLabels returns the labels of the series of the node with the identity.
func NewNodeLabels(id messages.Identity) *NodeLabels {
	return &NodeLabels{exposition.NewSampleLabels(id), &labelMemory{}}
}

// Labels returns the labels that a series of the node has on the page of a proxy, with the name
// of its samples as __name__. The error says that one of the texts is invalid.
func (n *NodeLabels) Labels(name string, own messages.LabelText) (labels.Labels, error) {
	if err := messages.CheckMetricName(name); err != nil {
		return labels.EmptyLabels(), err
	}
	var err error
	if n.scratch, err = n.labels.Append(n.scratch[:0], own); err != nil {
		return labels.EmptyLabels(), fmt.Errorf("series of %.100q: %w", name, err)
	}
	n.builder.Reset()
	n.builder.Add(model.MetricNameLabel, name)
	for _, l := range n.scratch {
		n.builder.Add(l.Name, l.Value)
	}
	n.builder.Sort()
	return n.builder.Labels(), nil
}
