package modes

import (
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
	// Files reads files again when they change, until the program ends.
	Files *files.Watcher
}
