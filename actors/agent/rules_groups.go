package agent

import (
	"maps"
	"slices"

	"fodc/actors/agent/mask"
	"fodc/messages"
)

// Rules returns the alerting rules and their alerts, as the latest evaluation has left them. It asks no actor. Without incidents in
// the configuration there are none. Secrets in texts are masked.
func (a *Agent) Rules() messages.RuleGroups {
	if a.ruleGroups == nil {
		return messages.RuleGroups{}
	}
	return shownRules(a.ruleGroups(), a.Identity())
}

// shownRules returns the rules as others may see them: with the node in the labels of each alert, and without secrets.
func shownRules(all *messages.RuleGroups, id messages.Identity) messages.RuleGroups {
	shown := *all
	shown.Groups = slices.Clone(all.Groups)
	for g := range shown.Groups {
		rules := slices.Clone(shown.Groups[g].Rules)
		for i := range rules {
			rules[i].LastError = mask.Text(rules[i].LastError)
			alerts := slices.Clone(rules[i].Alerts)
			for n := range alerts {
				alerts[n] = shownAlert(alerts[n], id)
			}
			rules[i].Alerts = alerts
		}
		shown.Groups[g].Rules = rules
	}
	return shown
}

func shownAlert(a messages.ActiveAlert, id messages.Identity) messages.ActiveAlert {
	a.Labels, a.Annotations = maps.Clone(a.Labels), maps.Clone(a.Annotations)
	for name, text := range a.Annotations {
		a.Annotations[name] = mask.Text(text)
	}
	// An expression that aggregates may have left them out.
	for name, value := range map[string]string{"node_id": id.NodeID, "node_role": id.Role} {
		if _, has := a.Labels[name]; !has && value != "" {
			a.Labels[name] = value
		}
	}
	return a
}
