package agent

import (
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// Others see which node an alert is of, and no secrets; what the evaluator has is left as it is.
func TestShownRules(t *testing.T) {
	const secret = "postgres://u:hunter2hunter2@db/x"
	of := func(labels map[string]string) *messages.RuleGroups {
		return &messages.RuleGroups{LeftOut: 3, Groups: []messages.RuleGroup{{Name: "g", Rules: []messages.AlertingRule{{Name: "A", LastError: secret,
			Alerts: []messages.ActiveAlert{{Labels: labels, Annotations: map[string]string{"summary": secret}}}}}}}}
	}
	all := of(map[string]string{"alertname": "A", "node_role": "own"})
	shown := shownRules(all, messages.Identity{NodeID: "n1", Role: "data"})
	require.Equal(t, 3, shown.LeftOut)
	r := shown.Groups[0].Rules[0]
	require.Equal(t, map[string]string{"alertname": "A", "node_id": "n1", "node_role": "own"}, r.Alerts[0].Labels)
	require.NotContains(t, r.Alerts[0].Annotations["summary"]+r.LastError, "hunter2")
	require.Equal(t, of(map[string]string{"alertname": "A", "node_role": "own"}), all)
	require.Empty(t, (&Agent{}).Rules())
}
