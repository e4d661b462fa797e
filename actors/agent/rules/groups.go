package rules

import (
	"slices"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	promrules "github.com/prometheus/prometheus/rules"
)

// Groups returns the rules by their groups, as the latest evaluation, or Reload, has left them. It waits for no evaluation.
func (e *Evaluator) Groups() *messages.RuleGroups { return e.groups.Load() }

// show keeps what Groups returns. The caller has e.mu.
func (e *Evaluator) show() {
	shown, room := &messages.RuleGroups{}, messages.MaxActiveAlertBytes
	for _, r := range e.rules {
		last := len(shown.Groups) - 1 // The rules of a group are one after the other.
		if last < 0 || shown.Groups[last].Name != r.Group || shown.Groups[last].File != r.File {
			g := messages.RuleGroup{Name: r.Group, File: r.File, Interval: r.Interval, Limit: r.Limit}
			if g.Interval == 0 {
				g.Interval = e.interval
			}
			shown.Groups, last = append(shown.Groups, g), last+1
		}
		rule := r.show()
		rule.Alerts = slices.DeleteFunc(rule.Alerts, func(a messages.ActiveAlert) bool {
			size := a.Bytes()
			if size > room {
				shown.LeftOut++
				return true
			}
			room -= size
			return false
		})
		shown.Groups[last].Rules = append(shown.Groups[last].Rules, rule)
	}
	e.groups.Store(shown)
}

// evaluated keeps what came of an evaluation, where Prometheus keeps it.
func (r *rule) evaluated(now time.Time, took time.Duration, err error) {
	r.eval.SetHealth(promrules.HealthGood)
	if err != nil {
		r.eval.SetHealth(promrules.HealthBad)
	}
	r.eval.SetLastError(err)
	r.eval.SetEvaluationTimestamp(now)
	r.eval.SetEvaluationDuration(took)
}

// show returns the rule with all its alerts, sorted by their labels.
func (r *rule) show() messages.AlertingRule {
	shown := messages.AlertingRule{Name: r.Name, Query: r.query, For: r.For, KeepFiringFor: r.KeepFiringFor, Labels: r.Labels, Annotations: r.Annotations,
		State: r.eval.State().String(), Health: string(r.eval.Health()), EvaluatedAt: r.eval.GetEvaluationTimestamp(), Took: r.eval.GetEvaluationDuration()}
	if err := r.eval.LastError(); err != nil {
		shown.LastError = bounded(err.Error(), maxErrorBytes)
	}
	active := r.eval.ActiveAlerts()
	slices.SortFunc(active, func(a, b *promrules.Alert) int { return labels.Compare(a.Labels, b.Labels) })
	for _, a := range active {
		shown.Alerts = append(shown.Alerts, messages.ActiveAlert{Labels: boundedTexts(a.Labels, maxLabelBytes), Annotations: boundedTexts(a.Annotations, messages.MaxIncidentText),
			State: a.State.String(), ActiveAt: a.ActiveAt, KeepFiringSince: a.KeepFiringSince, Value: a.Value})
	}
	return shown
}

// boundedTexts returns labels, or annotations, whose values have at most so many bytes.
func boundedTexts(of labels.Labels, bytes int) map[string]string {
	texts := make(map[string]string, of.Len())
	of.Range(func(l labels.Label) {
		if len(texts) < maxLabels || l.Name == labels.AlertName {
			texts[bounded(l.Name, maxLabelBytes)] = bounded(l.Value, bytes)
		}
	})
	return texts
}
