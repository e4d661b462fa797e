package httpapi

import "fodc/messages"

// The families of the files that the proxy reads again when they change.
const (
	familyCertificateEnd = "fodc_certificate_not_after_timestamp_seconds"
	familyFilesRead      = "fodc_files_last_reload_successful"
	familyFilesReadAt    = "fodc_files_last_reload_success_timestamp_seconds"
)

// metadataOfFiles is metadataOf for these families.
func metadataOfFiles(family string) (kind messages.MetricType, help string) {
	switch family {
	case familyCertificateEnd:
		return messages.TypeGauge, "When a certificate in use expires, as unix time; of several with one name, the first."
	case familyFilesRead:
		return messages.TypeGauge, "Whether the files of the flag are in use as they are now: 1, or 0 while what was read before is in force."
	case familyFilesReadAt:
		return messages.TypeGauge, "When the files of the flag that are in force were read, as unix time."
	default:
		return messages.TypeUnknown, ""
	}
}

// fileSeries are the series of files that the last page had.
type fileSeries map[string]bool

// files sets the series of the files. What the last page had of other certificates goes.
func (m *selfMetrics) files(statuses []messages.FileStatus) {
	values := map[string]float64{}
	for _, s := range statuses {
		used := 1.0
		if s.Failed != "" {
			used = 0
		}
		values[seriesName(familyFilesRead, "flag", s.Flag)] = used
		values[seriesName(familyFilesReadAt, "flag", s.Flag)] = float64(s.LoadedAt.Unix())
		for _, c := range s.Certificates {
			name, end := seriesName(familyCertificateEnd, "flag", c.Flag, "subject", c.Subject), float64(c.NotAfter.Unix())
			if before, twice := values[name]; !twice || end < before {
				values[name] = end
			}
		}
	}
	for name := range m.fileSeries {
		if _, there := values[name]; !there {
			m.set.UnregisterMetric(name)
		}
	}
	m.fileSeries = fileSeries{}
	for name, value := range values {
		m.fileSeries[name] = true
		m.set.GetOrCreateGauge(name, nil).Set(value)
	}
}
