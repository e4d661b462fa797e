package agent

import (
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
)

func recoverPast(*JournalConfig, *journal.View, *recorder.Window) error {
	return nil
}

func pastOpener(journal.FS) func(*journal.View, messages.Selection, []recorder.Held) (pastReader, error) {
	return nil
}
