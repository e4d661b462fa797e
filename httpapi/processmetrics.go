package httpapi

import "fodc/messages"

// The families of the proxy's process.
const (
	familyProcessCPU        = "fodc_proxy_process_cpu_seconds_total"
	familyProcessStart      = "fodc_proxy_process_start_time_seconds"
	familyProcessResident   = "fodc_proxy_process_resident_memory_bytes"
	familyProcessOpenFiles  = "fodc_proxy_process_open_fds"
	familyProcessMaxFiles   = "fodc_proxy_process_max_fds"
	familyProcessGoroutines = "fodc_proxy_go_goroutines"
	familyLogLinesDropped   = "fodc_log_lines_dropped_total"
	familyHTTPConnsClosed   = "fodc_proxy_http_connections_closed_total"
)

// metadataOfProcess is metadataOf for these families.
func metadataOfProcess(family string) (kind messages.MetricType, help string) {
	switch family {
	case familyProcessCPU:
		return messages.TypeCounter, "CPU time that the proxy has used."
	case familyProcessStart:
		return messages.TypeGauge, "When the proxy was started, as unix time."
	case familyProcessResident:
		return messages.TypeGauge, "Resident memory of the proxy."
	case familyProcessOpenFiles:
		return messages.TypeGauge, "Open file descriptors of the proxy."
	case familyProcessMaxFiles:
		return messages.TypeGauge, "File descriptors that the proxy may open."
	case familyProcessGoroutines:
		return messages.TypeGauge, "Goroutines of the proxy."
	case familyHTTPConnsClosed:
		return messages.TypeCounter, "HTTP connections that were closed because there were too many, by reason."
	case familyLogLinesDropped:
		return messages.TypeCounter, "Lines of the log that were dropped, because its reader was slow or gone, or its disk was full."
	default:
		return messages.TypeUnknown, ""
	}
}

// process sets the metrics of the process. What cannot be read keeps its last value; before the
// first value there is no series.
func (m *selfMetrics) process(u messages.ProcessUsage, err error) {
	if err != nil {
		return
	}
	m.set.GetOrCreateFloatCounter(familyProcessCPU).Set(u.CPUSeconds)
	gauge := func(family string, value float64) {
		if value != 0 {
			m.set.GetOrCreateGauge(family, nil).Set(value)
		}
	}
	gauge(familyProcessStart, u.StartSeconds)
	gauge(familyProcessResident, float64(u.ResidentBytes))
	gauge(familyProcessOpenFiles, float64(u.OpenFiles))
	gauge(familyProcessMaxFiles, float64(u.MaxFiles))
	gauge(familyProcessGoroutines, float64(u.Goroutines))
}

// connections sets the metric of the connections that were closed, by the reason.
func (m *selfMetrics) connections(closed map[string]uint64) {
	for reason, n := range closed {
		m.set.GetOrCreateCounter(seriesName(familyHTTPConnsClosed, "reason", reason)).Set(n)
	}
}
