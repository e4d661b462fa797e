package rules

import (
	"strings"
	"time"
	"unicode/utf8"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	promrules "github.com/prometheus/prometheus/rules"
)

// State is that of an alert.
type State string

// The states. Pending: the expression holds, but not for long enough. Firing: it did, and perhaps still does.
// Resolved: it fired, and does not any more.
const (
	Pending  State = "pending"
	Firing   State = "firing"
	Resolved State = "resolved"
)

const (
	// maxLabels bounds the labels of an alert, maxLabelBytes each name and value.
	maxLabels     = 64
	maxLabelBytes = 512
)

// Alert is what a rule says of one set of labels. Its texts are bounded, and valid UTF-8.
type Alert struct {
	Rule string
	// Labels are those of the expression's result and of the rule, without alertname and severity.
	Labels   map[string]string
	Severity string
	// Summary and Description are the rule's annotations of these names, filled in.
	Summary, Description string
	// ActiveAt is when the expression first held: the time of a scrape, or of the evaluation if it was not looked back
	// (Options.ScrapeInterval). FiredAt is the time of the evaluation at which the alert fired.
	ActiveAt, FiredAt time.Time
	State             State
	// Value is that of the expression when it last held.
	Value float64
}

// alertOf returns an alert of a rule of Prometheus.
func alertOf(rule string, a *promrules.Alert) Alert {
	alert := Alert{Rule: rule, Severity: severityOf(a.Labels.Get("severity")), ActiveAt: a.ActiveAt, FiredAt: a.FiredAt, Value: a.Value,
		Labels: make(map[string]string, a.Labels.Len())}
	switch a.State {
	case promrules.StatePending:
		alert.State = Pending
	case promrules.StateFiring:
		alert.State = Firing
	default:
		alert.State = Resolved
	}
	a.Labels.Range(func(l labels.Label) {
		if l.Name != labels.AlertName && l.Name != "severity" && len(alert.Labels) < maxLabels {
			alert.Labels[bounded(l.Name, maxLabelBytes)] = bounded(l.Value, maxLabelBytes)
		}
	})
	text := func(names ...string) string {
		for _, name := range names {
			if text := strings.TrimSpace(a.Annotations.Get(name)); text != "" {
				return bounded(text, messages.MaxIncidentText)
			}
		}
		return ""
	}
	alert.Summary, alert.Description = text("summary", "message", "description"), text("description")
	if alert.Summary == "" {
		alert.Summary = bounded(rule+" fires: "+a.Labels.String(), messages.MaxIncidentText)
	}
	return alert
}

// bounded returns a text of at most so many bytes, as valid UTF-8.
func bounded(text string, bytes int) string {
	if len(text) > bytes {
		end := bytes - len("…")
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
