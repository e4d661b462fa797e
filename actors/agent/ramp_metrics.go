package agent

import (
	"maps"

	"fodc/recorder"
)

// rampResults are the results of captures, in the order of metrics.
var rampResults = []captureResult{captureWhole, captureFailed, capturePartial}

// rampStatus is what metrics show. It is not changed.
type rampStatus struct{ captures map[captureResult]uint64 }

func (s *rampState) status() *rampStatus { return &rampStatus{maps.Clone(s.captures)} }

func rampSamples(s *rampStatus) (samples []recorder.Sample) {
	for _, result := range rampResults {
		samples = append(samples, labelled(counter("fodc_agent_ramp_captures_total",
			"Captures of the node's profiles while its memory grew, by result.", float64(s.captures[result])), "result", string(result)))
	}
	return samples
}
