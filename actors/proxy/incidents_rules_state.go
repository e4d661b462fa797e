package proxy

import (
	"math"
	"slices"
	"time"

	"fodc/messages"

	"github.com/prometheus/common/model"
)

// ownGroup is the name of the group of the proxy's own rules.
const ownGroup = "fodc"

// ownRules are the proxy's own rules, as it shows them. They are decided in incidents_lost_state.go, without PromQL.
var ownRules = []messages.AlertingRule{
	{Name: ruleAgentLost, Labels: map[string]string{"severity": "warning"},
		Query:       "(no PromQL) an agent has missed three heartbeats, and has not said goodbye",
		Annotations: map[string]string{"summary": "The agent of a node is lost."}},
	{Name: ruleRoleLost, Labels: map[string]string{"severity": "critical"},
		Query:       "(no PromQL) no agent of a role is left",
		Annotations: map[string]string{"summary": "All agents of a role are lost."}},
	{Name: ruleSeveralLost, Labels: map[string]string{"severity": "critical"},
		Query:       "(no PromQL) two or more agents were lost within 10 s",
		Annotations: map[string]string{"summary": "Several agents were lost at about the same time."}},
}

// shownRules returns the proxy's own rules and what fires in the incidents that are open. The alerts of agents are in no group:
// the proxy does not know how their rules are defined. lookedAt is when its own ones were evaluated last; zero: they were not.
func shownRules(incidents []*messages.Incident, lookedAt time.Time) messages.RuleGroups {
	g := messages.RuleGroup{Name: ownGroup, Interval: incidentTick, Rules: slices.Clone(ownRules)}
	for i := range g.Rules {
		r := &g.Rules[i]
		r.State, r.Health, r.EvaluatedAt = "unknown", "unknown", lookedAt
		if !lookedAt.IsZero() {
			r.State, r.Health = "inactive", "ok"
		}
	}
	var shown messages.RuleGroups
	room := messages.MaxActiveAlertBytes
	for _, doc := range incidents {
		if doc.State != messages.IncidentOpen {
			continue
		}
		for i := range doc.Rules {
			if !doc.Rules[i].Firing {
				continue
			}
			a := activeAlert(doc, &doc.Rules[i])
			if room -= a.Bytes(); room < 0 {
				shown.LeftOut++
				continue
			}
			own := slices.IndexFunc(g.Rules, func(r messages.AlertingRule) bool { return r.Name == doc.Rules[i].Rule })
			if own < 0 {
				shown.Alerts = append(shown.Alerts, a)
				continue
			}
			g.Rules[own].State = a.State
			g.Rules[own].Alerts = append(g.Rules[own].Alerts, a)
		}
	}
	shown.Groups = []messages.RuleGroup{g}
	return shown
}

// activeAlert returns a rule that fires in an incident as an alert of Prometheus, with labels as those that Alertmanagers get.
func activeAlert(doc *messages.Incident, a *messages.IncidentAlert) messages.ActiveAlert {
	alert := messages.ActiveAlert{Labels: map[string]string{}, Annotations: map[string]string{}, State: "firing", ActiveAt: a.FirstOccurrence, Value: math.NaN()}
	for name, value := range a.Labels {
		set(alert.Labels, name, value)
	}
	role := ""
	if at := slices.IndexFunc(doc.Nodes, func(n messages.IncidentNode) bool { return n.NodeID == a.NodeID }); at >= 0 {
		role = doc.Nodes[at].Role
	}
	set(alert.Labels, model.AlertNameLabel, a.Rule, "incident", doc.ID, "node_id", a.NodeID, "node_role", role, "severity", a.Severity)
	set(alert.Annotations, "summary", a.Summary, "description", a.Description)
	return alert
}
