package proxy

import (
	"slices"

	"fodc/messages"
)

// incidentAlertName is the name of the alert of an incident without a rule.
const incidentAlertName = "Incident"

// alertOf returns the alert of an open incident: that of its first rule, on the node on which it fired.
func (s *alertmanagerState) alertOf(i *messages.Incident) alert {
	var first messages.IncidentAlert
	if len(i.Rules) > 0 {
		first = i.Rules[0]
	}
	at := slices.IndexFunc(i.Nodes, func(n messages.IncidentNode) bool {
		return n.NodeID == first.NodeID || first.NodeID == "" && n.Kind != messages.IncidentContext
	})
	node := messages.IncidentNode{NodeID: first.NodeID}
	if at >= 0 {
		node = i.Nodes[at]
	}
	name := first.Rule
	if name == "" {
		name = incidentAlertName
	}
	a := alert{Labels: map[string]string{"incident": i.ID}, Annotations: map[string]string{}, StartsAt: i.FirstOccurrence,
		GeneratorURL: s.pages + "/incidents/" + i.ID}
	// Alertmanager takes no label without a value.
	set(a.Labels, "alertname", name, "node_id", node.NodeID, "node_role", node.Role, "severity", i.Severity)
	set(a.Annotations, "summary", i.Summary, "description", first.Description)
	return a
}

// set sets those of the values that are not empty.
func set(m map[string]string, namesAndValues ...string) {
	for n := 0; n+1 < len(namesAndValues); n += 2 {
		if value := namesAndValues[n+1]; value != "" {
			m[namesAndValues[n]] = value
		}
	}
}
