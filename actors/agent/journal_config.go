package agent

import "fodc/recorder/journal"

// JournalConfig says where the journal is.
type JournalConfig struct {
	// Dir is the name of the directory in logs and in health.
	Dir string
	// FS is the directory of the segments.
	FS journal.FS
	// Lock takes the lock of the directory, and returns what gives it back. It is called before
	// the directory is used, and again after a while if it fails: it may block, and is not called
	// by an actor. A caller that has the lock already returns it here.
	Lock func() (unlock func() error, err error)
	// Config says how much is kept, and how the disk is used. Its Node is filled in.
	Config journal.Config
}
