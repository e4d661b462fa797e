package exposition

import "fodc/messages"

// SampleLabels says which labels the samples of a node have on a page: their own, and those that
// say which node it is. It is for one goroutine.
type SampleLabels struct{ node node }

// NewSampleLabels returns the labels of the node's samples.
func NewSampleLabels(id messages.Identity) *SampleLabels {
	return SampleLabelsOf(&messages.NodeAnswer{Identity: id})
}

// SampleLabelsOf is NewSampleLabels for the node that has answered.
func SampleLabelsOf(a *messages.NodeAnswer) *SampleLabels {
	l := &SampleLabels{node{answer: a}}
	l.node.render(&a.Identity)
	return l
}

// Identity returns the labels that samples are stamped with, as one text.
func (l *SampleLabels) Identity() messages.LabelText { return l.node.identityText }

// Stamped returns the value of a label that all samples have. ok is false if there is none of the
// name that all of them have.
func (l *SampleLabels) Stamped(name string) (value string, ok bool) {
	of := l.node.find(name)
	// If an agent has not said its pod, samples may.
	if of == nil || name == messages.LabelPodName && l.node.answer.Identity.PodNameIsNodeID {
		return "", false
	}
	return of.Value, true
}

// Of returns the labels that a sample with these labels of its own has on a page, in no
// particular order, each name once. The error says that the text is no label text.
func (l *SampleLabels) Of(own messages.LabelText) ([]messages.Label, error) {
	return l.Append(nil, own)
}

// Append appends the labels that Of returns.
func (l *SampleLabels) Append(dst []messages.Label, own messages.LabelText) ([]messages.Label, error) {
	if err := messages.CheckLabelText(own); err != nil {
		return dst, err
	}
	n, err := l.node.shownAs(own)
	if err != nil {
		return dst, err
	}
	if own, err = n.withoutIdentity(own); err != nil {
		return dst, err
	}
	dst = own.AppendTo(dst)
	for i := range n.identity {
		dst = append(dst, n.identity[i].Label)
	}
	return dst, nil
}

// Repeats reports whether the claimed labels (see messages.Series) only repeat what the samples are
// stamped with, so that Of says the same without them.
func (l *SampleLabels) Repeats(claimed messages.LabelText) bool { return l.node.matches(claimed) }
