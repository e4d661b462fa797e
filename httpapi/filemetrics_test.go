package httpapi

import (
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func someFiles() []messages.FileStatus {
	at := time.Unix(1_700_000_000, 0).UTC()
	certificate := func(subject string, end time.Time) messages.CertificateStatus {
		return messages.CertificateStatus{Flag: "grpc-tls-cert-file", Subject: subject, NotAfter: end}
	}
	return []messages.FileStatus{
		{Flag: "grpc-client-ca-file", Failed: "no certificate", LoadedAt: at},
		{Flag: "grpc-tls-cert-file", LoadedAt: at, Certificates: []messages.CertificateStatus{
			certificate("proxy", at.Add(2*time.Hour)), certificate("proxy", at.Add(time.Hour)), certificate("ca", at.Add(3*time.Hour))}},
	}
}

// A certificate that is not in use any more has no series: its end would be an alert for ever.
func TestCertificatesThatAreReplaced(t *testing.T) {
	p := newFakeProxy()
	p.files = someFiles()
	require.Equal(t, `fodc_certificate_not_after_timestamp_seconds{flag="grpc-tls-cert-file",subject="ca"} 1700010800
fodc_certificate_not_after_timestamp_seconds{flag="grpc-tls-cert-file",subject="proxy"} 1700003600
`, samplesOf(p.get("/metrics/self").Body.String(), familyCertificateEnd))
	p.files[1].Certificates = p.files[1].Certificates[:1]
	require.Equal(t, `fodc_certificate_not_after_timestamp_seconds{flag="grpc-tls-cert-file",subject="proxy"} 1700007200
`, samplesOf(p.get("/metrics/self").Body.String(), familyCertificateEnd))
	p.files = nil
	page := p.get("/metrics/self").Body.String()
	for _, family := range []string{familyCertificateEnd, familyFilesRead, familyFilesReadAt} {
		require.Empty(t, samplesOf(page, family))
	}
}
