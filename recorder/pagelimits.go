package recorder

import (
	"fmt"

	"fodc/messages"
)

// checkLimits returns an error if the page may not have a further sample, whose name and labels are raw.
func (p *Page) checkLimits(raw []byte) error {
	limit, setting := p.limits.Samples, "--max-page-samples"
	if n := p.limits.SampleLimit; n > 0 && n < limit {
		limit, setting = n, "sample_limit"
	}
	if len(p.samples) == limit {
		return fmt.Errorf("%w: more than %d, at most %d are allowed (%s)", ErrTooManySamples, limit, limit, setting)
	}
	if p.limits.LabelLimit == 0 {
		return nil
	}
	var most [16]messages.Label // Few samples have more, and it stays on the stack.
	name, labels, err := scanSeries(string(raw), most[:0])
	if err != nil {
		return nil // The window drops the sample, and counts it.
	}
	if n := countLabels(labels) + 1; n > p.limits.LabelLimit {
		return fmt.Errorf("%w: a sample of %.100q has %d with its name, at most %d are allowed (label_limit)", ErrTooManyLabels, name, n, p.limits.LabelLimit)
	}
	return nil
}
