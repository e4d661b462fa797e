package agent

import "testing"

// The page is also what docs/metrics.md is compared with.
func TestRefusalMetrics(t *testing.T) {
	requireGolden(t, "testdata/refusals.prom", pageOf(refusalSamples(map[string]uint64{"wrong_token": 2, "busy": 0})))
}
