package rules

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// The groups are those of the files, with what the latest evaluation has found.
func TestGroups(t *testing.T) {
	w := newWindow()
	begin := time.Now().Truncate(time.Second).Add(-time.Minute)
	e := New(setOf(t, limits+`
  - name: other
    interval: 1h
    limit: 3
    rules:
      - alert: Wrong
        expr: y * on() y
`), w.storage(), Options{ScrapeInterval: 10 * time.Second})
	g := e.Groups().Groups
	require.Len(t, g, 2)
	require.Equal(t, "unknown unknown", g[0].Rules[0].State+" "+g[0].Rules[0].Health)

	now := begin.Add(10 * time.Second)
	w.scrape(now, "node", gauge("x", 11, "of", "a"), gauge("y", 1, "of", "a"), gauge("y", 1, "of", "b"))
	_, err := e.Evaluate(t.Context(), now)
	require.Error(t, err)
	g = e.Groups().Groups
	require.Equal(t, []string{"g", "test.yml", "other", "test.yml"}, []string{g[0].Name, g[0].File, g[1].Name, g[1].File})
	require.Equal(t, []time.Duration{10 * time.Second, time.Hour}, []time.Duration{g[0].Interval, g[1].Interval})
	require.Equal(t, []int{0, 3}, []int{g[0].Limit, g[1].Limit})
	high, wrong := g[0].Rules[0], g[1].Rules[0]
	require.Equal(t, []messages.ActiveAlert{{State: "pending", ActiveAt: now, Value: 11,
		Labels:      map[string]string{"alertname": "High", "severity": "critical", "of": "a", "team": "t-a", "node_id": "data-0", "node_role": "data", "pod_name": "data-0"},
		Annotations: map[string]string{"summary": "x of a on data-0 is 11", "description": "look at it"}}}, high.Alerts)
	require.Equal(t, "pending ok", high.State+" "+high.Health)
	require.Equal(t, now, high.EvaluatedAt)
	require.Equal(t, "x > 10", high.Query)
	require.Equal(t, "y * on () y", wrong.Query, "as Prometheus writes it")
	require.Equal(t, 20*time.Second, high.For)
	require.Equal(t, "inactive err", wrong.State+" "+wrong.Health)
	require.Contains(t, wrong.LastError, "duplicate series")

	w.fail = errors.New("the disk is gone")
	_, err = e.Evaluate(t.Context(), now.Add(10*time.Second))
	require.Error(t, err)
	require.Contains(t, e.Groups().Groups[0].Rules[0].LastError, "the disk is gone")
	e.Reload(setOf(t, "groups: []"))
	require.Empty(t, e.Groups().Groups)
}

// Alerts that take more memory than all may have are counted.
func TestGroupsAreBounded(t *testing.T) {
	w, now := newWindow(), time.Now().Truncate(time.Second)
	text := "groups:\n  - name: g\n    rules:\n"
	for range 40 {
		text += "      - {alert: A, expr: x > 0, annotations: {a: '" + strings.Repeat("a", 2*messages.MaxIncidentText) + "'}}\n"
	}
	for i := range 90 {
		w.scrape(now, strings.Repeat("t", i+1), gauge("x", 1, "of", strings.Repeat("o", i+1)))
	}
	e := New(setOf(t, text), w.storage(), Options{})
	_, err := e.Evaluate(t.Context(), now)
	require.NoError(t, err)
	all, bytes, shown := e.Groups(), 0, 0
	for _, r := range all.Groups[0].Rules {
		for _, a := range r.Alerts {
			require.Len(t, a.Annotations["a"], messages.MaxIncidentText)
			bytes, shown = bytes+a.Bytes(), shown+1
		}
	}
	require.Equal(t, 40*90, shown+all.LeftOut)
	require.Positive(t, all.LeftOut)
	require.LessOrEqual(t, bytes, messages.MaxActiveAlertBytes)
	require.Greater(t, bytes, messages.MaxActiveAlertBytes/2)
}
