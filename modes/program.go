package modes

import (
	"fodc/messages"
	"fodc/modes/files"

	"go.uber.org/zap"
)

// Program is what a mode gets from the program around it.
type Program struct {
	// Log never blocks. Lines that cannot be written are dropped and counted.
	Log *zap.Logger
	// LogLinesDropped returns how many lines the log has dropped since the start.
	LogLinesDropped func() uint64
	// Flags are the values that count, by the name of the flag. Secrets are masked.
	Flags map[string]string
	// Reload runs its functions at SIGHUP.
	Reload *Reload
	// Files reads the files of settings again when they change, those of a proxy and an agent in one process together.
	Files *files.Watcher

	web *openWeb // nil: nobody is asked who he is
}

// fileStatuses returns what became of the files of settings. It never blocks for long.
func (p Program) fileStatuses() []messages.FileStatus {
	if p.Files == nil {
		return nil
	}
	var all []messages.FileStatus
	for _, s := range p.Files.Statuses() {
		status := messages.FileStatus{Flag: s.Flag, Failed: s.Failed, LoadedAt: s.LoadedAt}
		for _, c := range s.Certificates {
			status.Certificates = append(status.Certificates, messages.CertificateStatus(c))
		}
		all = append(all, status)
	}
	return all
}
