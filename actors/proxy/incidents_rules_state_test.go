package proxy

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// What fires in open incidents is an alert; the proxy's own rules are a group, and those of agents are not.
func TestShownRules(t *testing.T) {
	open := alertIncident("I1", "critical")
	open.Rules = []messages.IncidentAlert{
		{Rule: "MemoryNearLimit", NodeID: "n1", Severity: "critical", Summary: "s", Description: "d", Labels: map[string]string{"device": "sda", "node_id": "x"}, FirstOccurrence: alertEpoch, Firing: true},
		{Rule: "Over", NodeID: "n1"},
		{Rule: ruleSeveralLost, Severity: "critical", Summary: "two", FirstOccurrence: alertEpoch.Add(time.Second), Firing: true},
	}
	over := frozen(open, alertEpoch)
	over.ID = "I0"
	shown := shownRules([]*messages.Incident{open, over}, alertEpoch)
	require.Len(t, shown.Alerts, 1)
	a := shown.Alerts[0]
	require.True(t, math.IsNaN(a.Value), "it is not known")
	a.Value = 0
	require.Equal(t, messages.ActiveAlert{State: "firing", ActiveAt: alertEpoch, Annotations: map[string]string{"summary": "s", "description": "d"},
		Labels: map[string]string{"alertname": "MemoryNearLimit", "device": "sda", "incident": "I1", "node_id": "n1", "node_role": "data", "severity": "critical"}}, a)
	var states []string
	for _, r := range shown.Groups[0].Rules {
		require.Equal(t, alertEpoch, r.EvaluatedAt)
		states = append(states, fmt.Sprintf("%s %s %s %d", r.Name, r.State, r.Health, len(r.Alerts)))
	}
	require.Equal(t, "AgentLost inactive ok 0, RoleLost inactive ok 0, SeveralLost firing ok 1", strings.Join(states, ", "))
	require.Equal(t, map[string]string{"alertname": "SeveralLost", "incident": "I1", "severity": "critical"}, shown.Groups[0].Rules[2].Alerts[0].Labels)

	never := shownRules(nil, time.Time{}).Groups[0]
	require.Equal(t, "unknown unknown", never.Rules[0].State+" "+never.Rules[0].Health)
}

func TestShownRulesAreBounded(t *testing.T) {
	doc := alertIncident("I1", "critical")
	doc.Rules = nil
	for range 3000 {
		doc.Rules = append(doc.Rules, messages.IncidentAlert{Rule: "R", NodeID: "n1", Summary: strings.Repeat("s", messages.MaxIncidentText), Firing: true})
	}
	shown := shownRules([]*messages.Incident{doc}, alertEpoch)
	require.Positive(t, shown.LeftOut)
	require.Equal(t, 3000, shown.LeftOut+len(shown.Alerts))
}
