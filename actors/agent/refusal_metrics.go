package agent

import (
	"maps"
	"slices"

	"fodc/messages"
	"fodc/recorder"
)

// refusalSamples are the metrics of requests over HTTP that were refused.
func refusalSamples(byReason map[string]uint64) (samples []recorder.Sample) {
	for _, why := range slices.Sorted(maps.Keys(byReason)) {
		s := counter("fodc_agent_http_requests_refused_total", "Requests that were refused because of who has made them, or how, by reason.", float64(byReason[why]))
		s.Labels = []messages.Label{{Name: "reason", Value: why}}
		samples = append(samples, s)
	}
	return samples
}
