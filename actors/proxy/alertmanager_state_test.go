package proxy

import (
	"fmt"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

var alertEpoch = time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)

func alertIncident(id, severity string) *messages.Incident {
	return &messages.Incident{ID: id, Kind: messages.IncidentRule, State: messages.IncidentOpen, FirstOccurrence: alertEpoch.Add(-time.Minute), Severity: severity,
		Summary: "n1: out of memory", Rules: []messages.IncidentAlert{{Rule: "MemoryNearLimit", NodeID: "n1", Description: "look at the heap"}, {Rule: "Other"}},
		Nodes: []messages.IncidentNode{{NodeID: "n2", Role: "liaison", Kind: messages.IncidentContext}, {NodeID: "n1", Role: "data", Kind: messages.IncidentRule}}}
}

func frozen(i *messages.Incident, at time.Time) *messages.Incident {
	c := i.Clone()
	c.State, c.FrozenAt = messages.IncidentFrozen, at
	return &c
}

func newTestAlerts(targets ...string) *alertmanagerState {
	s := newAlertmanagerState("http://p:1", targets)
	for n := range s.targets {
		s.targets[n].resend = alertEpoch.Add(alertResend)
	}
	return s
}

func TestAnAlertFromOpeningToEnd(t *testing.T) {
	s := newTestAlerts("a")
	now := alertEpoch
	s.changed(alertIncident("I1", "warning"), now)
	posts := s.due(now)
	require.Equal(t, []alertPost{{0, 1, []alert{{
		Labels:      map[string]string{"alertname": "MemoryNearLimit", "node_id": "n1", "node_role": "data", "severity": "warning", "incident": "I1"},
		Annotations: map[string]string{"summary": "n1: out of memory", "description": "look at the heap"},
		StartsAt:    alertEpoch.Add(-time.Minute), EndsAt: alertEpoch.Add(alertValid), GeneratorURL: "http://p:1/incidents/I1"}}}}, posts)
	require.Empty(t, s.due(now), "one request at a time")
	s.sent(0)
	s.changed(alertIncident("I1", "warning"), now)
	require.Empty(t, s.due(now), "nothing has changed")
	require.Equal(t, alertResend, s.wait(now))

	now = now.Add(alertResend)
	posts = s.due(now)
	require.Len(t, posts, 1, "it is sent again, or it would end")
	require.Equal(t, now.Add(alertValid), posts[0].alerts[0].EndsAt)
	s.sent(0)

	other := alertIncident("I1", "warning")
	other.Rules[0].NodeID, other.Summary = "n2", "more"
	s.changed(other, now)
	posts = s.due(now)
	require.Equal(t, "more", posts[0].alerts[0].Annotations["summary"])
	require.Equal(t, "n1", posts[0].alerts[0].Labels["node_id"], "the labels stay")
	s.sent(0)

	s.changed(alertIncident("I1", "critical"), now)
	posts = s.due(now)
	require.Len(t, posts[0].alerts, 2)
	require.Equal(t, "warning", posts[0].alerts[0].Labels["severity"])
	require.Equal(t, now, posts[0].alerts[0].EndsAt)
	require.Equal(t, "critical", posts[0].alerts[1].Labels["severity"])
	s.sent(0)

	s.changed(frozen(alertIncident("I1", "critical"), now.Add(-time.Second)), now)
	posts = s.due(now)
	require.Equal(t, now.Add(-time.Second), posts[0].alerts[0].EndsAt)
	s.sent(0)
	s.changed(frozen(alertIncident("I1", "critical"), now), now)
	require.Empty(t, s.due(now.Add(alertResend)), "it has ended")
	require.Equal(t, []messages.AlertmanagerCounts{{Alertmanager: "a", Notifications: 6}}, s.counts())
}

func TestWhatIsNoAlert(t *testing.T) {
	s := newTestAlerts("a")
	asked := alertIncident("I1", "info")
	asked.Kind = messages.IncidentRequest
	s.changed(asked, alertEpoch)
	s.changed(frozen(alertIncident("I2", "info"), alertEpoch), alertEpoch)
	s.removed("I3", alertEpoch)
	require.Empty(t, s.due(alertEpoch))

	bare := &messages.Incident{ID: "I4", Kind: messages.IncidentRule, State: messages.IncidentOpen, FirstOccurrence: alertEpoch.Add(time.Hour),
		Nodes: []messages.IncidentNode{{NodeID: "n1"}}}
	s.changed(bare, alertEpoch)
	require.Equal(t, map[string]string{"alertname": "Incident", "node_id": "n1", "incident": "I4"}, s.due(alertEpoch)[0].alerts[0].Labels)
	s.sent(0)
	s.removed("I4", alertEpoch)
	require.Equal(t, alertEpoch.Add(time.Hour), s.due(alertEpoch)[0].alerts[0].EndsAt, "never before its start")
}

func TestAlertsThatDoNotArrive(t *testing.T) {
	s := newTestAlerts("dead", "well")
	now := alertEpoch
	s.changed(alertIncident("I1", "info"), now)
	require.Len(t, s.due(now), 2)
	s.sent(1)
	for n, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second} {
		s.failed(0, now)
		require.Equal(t, wait, s.wait(now), n)
		require.Empty(t, s.due(now.Add(wait-time.Nanosecond)))
		now = now.Add(wait)
		require.Len(t, s.due(now), 1)
	}
	// The end comes meanwhile: only that is sent then.
	s.changed(frozen(alertIncident("I1", "info"), now), now)
	require.Equal(t, 1, s.due(now)[0].target, "the other one does not wait")
	s.sent(1)
	s.failed(0, now)
	now = now.Add(maxAlertRetry)
	posts := s.due(now)
	require.Equal(t, 0, posts[0].target)
	require.Len(t, posts[0].alerts, 1)
	require.True(t, posts[0].alerts[0].EndsAt.Before(now))
	s.refused(0)
	require.Equal(t, []messages.AlertmanagerCounts{{Alertmanager: "dead", Failed: 7, Dropped: 1}, {Alertmanager: "well", Notifications: 2}}, s.counts())
	for range 100 {
		s.changed(alertIncident("I2", "info"), now)
		s.due(now)
		s.failed(0, now)
		require.LessOrEqual(t, s.targets[0].retry.Sub(now), maxAlertRetry)
		now = now.Add(maxAlertRetry)
	}
}

// Of a request of which nobody says what came of it, nothing is lost.
func TestARequestThatNeverEnds(t *testing.T) {
	s := newTestAlerts("a")
	s.changed(alertIncident("I1", "info"), alertEpoch)
	s.due(alertEpoch)
	now := alertEpoch.Add(s.wait(alertEpoch))
	require.Greater(t, now.Sub(alertEpoch), 2*alertTimeout)
	require.Empty(t, s.due(now))
	require.False(t, s.isUnderWay(0, 1))
	now = now.Add(s.wait(now))
	require.Len(t, s.due(now), 1)
	require.False(t, s.isUnderWay(0, 1), "an answer to the first one says nothing of the second")
	require.True(t, s.isUnderWay(0, 2))
}

func TestAlertsAreBounded(t *testing.T) {
	s := newTestAlerts("dead")
	now := alertEpoch
	s.changed(alertIncident("first", "info"), now)
	s.due(now)
	for n := range 3 * maxQueuedAlerts {
		i := alertIncident(fmt.Sprint(n), "info")
		s.changed(i, now)
		s.changed(frozen(i, now), now)
		require.LessOrEqual(t, len(s.targets[0].queue), maxQueuedAlerts)
	}
	s.failed(0, now)
	require.Len(t, s.targets[0].queue, maxQueuedAlerts)
	require.Equal(t, uint64(2*maxQueuedAlerts+1), s.counts()[0].Dropped)
	require.Len(t, s.due(now.Add(time.Second))[0].alerts, maxAlertBatch)
	for n := range 2 * maxOpenAlerts {
		s.changed(alertIncident(fmt.Sprint("open", n), "info"), now)
	}
	require.Len(t, s.open, maxOpenAlerts)
}
