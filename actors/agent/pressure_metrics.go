package agent

import (
	"maps"

	"fodc/recorder"
)

// pressureStatus is what metrics show of the pressure profiler. It is not changed.
type pressureStatus struct {
	memory     *nodeMemory // nil: not known
	threshold  uint64
	counts     map[captureResult]uint64
	evicted    uint64
	diskErrors uint64
	usage      pressureUsage
}

func (s *pressureState) status() *pressureStatus {
	p := &pressureStatus{memory: s.memory, counts: maps.Clone(s.counts), evicted: s.evicted, diskErrors: s.diskErrors, usage: s.usage}
	if s.memory != nil {
		p.threshold = s.memory.threshold(s.percent)
	}
	return p
}

// pressureSamples are the metrics of the pressure profiler.
func pressureSamples(s *pressureStatus) []recorder.Sample {
	known := 0.0
	if s.memory != nil {
		known = 1
	}
	samples := []recorder.Sample{
		gauge("fodc_agent_pressure_memory_known", "Whether the node's resident memory and its limit are known, so that profiles can be captured.", known),
		gauge("fodc_agent_pressure_artifacts", "Artifacts of the pressure profiler on disk.", float64(s.usage.artifacts)),
		gauge("fodc_agent_pressure_artifact_bytes", "Size of all artifacts of the pressure profiler.", float64(s.usage.bytes)),
		counter("fodc_agent_pressure_evicted_artifacts_total", "Artifacts that were removed to make room for others.", float64(s.evicted)),
		counter("fodc_agent_pressure_disk_errors_total", "Failures of the directory of pressure profiles.", float64(s.diskErrors)),
	}
	if s.memory != nil {
		samples = append(samples,
			gauge("fodc_agent_pressure_memory_bytes", "The node's resident memory, as the pressure profiler sees it.", float64(s.memory.resident)),
			gauge("fodc_agent_pressure_memory_limit_bytes", "The limit of the node's memory, as the pressure profiler sees it.", float64(s.memory.limit)),
			gauge("fodc_agent_pressure_threshold_bytes", "The resident memory from which on profiles are captured.", float64(s.threshold)))
	}
	for _, result := range captureResults {
		samples = append(samples, labelled(counter("fodc_agent_pressure_captures_total", "Captures of the node's profiles, by result.", float64(s.counts[result])), "result", string(result)))
	}
	return samples
}
