package incidentseries

import (
	"fodc/messages"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

const (
	// LabelName is that of the label that says of which incident's evidence a series is.
	LabelName = "incident"
	// ownLabelName has what a series itself calls like that.
	ownLabelName = "exported_" + LabelName
	// maxQuotedBytes bounds what an error quotes of a request.
	maxQuotedBytes = 100
)

// anyName matches all series: a block has none for no matcher.
var anyName = labels.MustNewMatcher(labels.MatchNotEqual, model.MetricNameLabel, "")

// howTo ends errors of the matcher.
const howTo = `evidence is selected by ` + LabelName + `="ID" with the id of one incident, and the present without it; /incidents lists the incidents`

// incidentOf returns the id of the incident that a selector is of, and the matchers beside it. It is empty for the
// present. So incident="" is of the present, too: a dashboard can have a variable there.
func incidentOf(matchers []*labels.Matcher) (id string, rest []*labels.Matcher, err error) {
	named := false
	for _, m := range matchers {
		if m.Name != LabelName {
			rest = append(rest, m)
			continue
		}
		switch {
		case m.Type != labels.MatchEqual:
			return "", nil, messages.Errorf(messages.ErrBadData, "%s%s%.*q is not allowed: %s", LabelName, m.Type, maxQuotedBytes, m.Value, howTo)
		case named && m.Value != id:
			return "", nil, messages.Errorf(messages.ErrBadData, "%s is %.*q and %.*q in one selector: %s", LabelName, maxQuotedBytes, id, maxQuotedBytes, m.Value, howTo)
		case m.Value != "" && !messages.ValidIncidentID(m.Value):
			return "", nil, messages.Errorf(messages.ErrBadData, "%s=%.*q is not the id of an incident, which is a ULID of 26 digits and capital letters: %s", LabelName, maxQuotedBytes, m.Value, howTo)
		}
		id, named = m.Value, true
	}
	if id == "" {
		return "", matchers, nil
	}
	if len(rest) == 0 {
		rest = []*labels.Matcher{anyName}
	}
	return id, rest, nil
}
