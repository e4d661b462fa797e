package promstore

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"
)

// comparisonsPerLook is how many labels are compared until it is looked again whether the query has
// ended. A regular expression of a stranger may take milliseconds for each.
const comparisonsPerLook = 16

// watch compares labels with matchers until the query ends: then nothing matches any more, and err
// says why.
type watch struct {
	ctx   context.Context
	calls int
	err   error
}

func (w *watch) matches(m *labels.Matcher, value string) bool {
	if w.calls++; w.calls%comparisonsPerLook == 0 && w.err == nil {
		w.err = w.ctx.Err()
	}
	return w.err == nil && m.Matches(value)
}

func (w *watch) matchesAll(matchers []*labels.Matcher, l labels.Labels) bool {
	for _, m := range matchers {
		if !w.matches(m, l.Get(m.Name)) {
			return false
		}
	}
	return true
}
