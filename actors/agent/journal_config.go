package agent

import (
	"time"

	"fodc/recorder/journal"
)

// JournalConfig says where the journal is.
type JournalConfig struct {
	// Dir is the name of the directory in logs and in health.
	Dir string
	// FS is the directory of the segments.
	FS journal.FS
	// Lock takes the lock of the directory, unless the process has it. It is called before the
	// directory is used for the first time, and again when it is used after a failure: the
	// directory may have been removed meanwhile. Unlock gives the lock back, when the directory
	// is not used any more. Both may block as long as the disk does: no actor calls them.
	Lock, Unlock func() error
	// Config says how much is kept, and how the disk is used. Node, CurrentNode and Clock are filled in.
	Config journal.Config

	// writer is the writer; nil is a real one. Tests put their own in its place.
	writer journalWriter
}

func (c *JournalConfig) newWriter() journalWriter {
	if c.writer != nil {
		return c.writer
	}
	c.Config.Clock = time.Now
	return journal.NewWriter(c.FS, c.Config)
}
