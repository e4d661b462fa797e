package agent

import (
	"testing"
	"time"

	"fodc/messages"
)

// The page is also what docs/metrics.md is compared with.
func TestFileMetrics(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	certificate := func(end time.Time) messages.CertificateStatus {
		return messages.CertificateStatus{Flag: "proxy-cert-file", Subject: "data-0", NotAfter: end}
	}
	samples := fileSamples([]messages.FileStatus{
		{Flag: "proxy-cert-file", LoadedAt: at, Failed: "no certificate", Certificates: []messages.CertificateStatus{
			certificate(at.Add(2 * time.Hour)), certificate(at.Add(time.Hour))}},
	})
	requireGolden(t, "testdata/files.prom", pageOf(samples))
}
