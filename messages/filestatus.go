package messages

import "time"

// FileStatus is what became of the files of a flag, which are read again when they change.
type FileStatus struct {
	// Flag is the flag, without dashes.
	Flag string `json:"flag"`
	// Failed says why the files cannot be used as they are now: what was read before is in force. It is empty if they
	// are in use.
	Failed string `json:"failed,omitempty"`
	// LoadedAt is when the version in force was read.
	LoadedAt     time.Time           `json:"loaded_at"`
	Certificates []CertificateStatus `json:"certificates,omitempty"`
}

// CertificateStatus is a certificate that expires.
type CertificateStatus struct {
	// Flag is the flag of its file, without dashes. Subject is its name, of a bounded length.
	Flag     string    `json:"flag"`
	Subject  string    `json:"subject"`
	NotAfter time.Time `json:"not_after"`
}
