package agent

import (
	"testing"
	"time"

	"fodc/actors/agent/rules"
)

// The page is also what docs/metrics.md is compared with.
func TestIncidentMetrics(t *testing.T) {
	samples := incidentSamples(&incidentsStatus{open: 1, kept: 3, bytes: 4096, openings: map[string]uint64{"MemoryNearLimit": 2}, failures: map[string]uint64{"profile/heap": 1, "window": 2}})
	state := newRulesState(10*time.Second, time.Unix(1_700_000_000, 0))
	state.shutdown = time.Unix(1_700_000_000, 0)
	samples = append(samples, ruleSamples(state.status(rules.Stats{Rules: 20, Pending: 1, Firing: 2, Evaluations: 100, Failures: 1, Seconds: 2.5, Last: 25 * time.Millisecond}))...)
	requireGolden(t, "testdata/incidents.prom", pageOf(samples))
}
