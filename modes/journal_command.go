package modes

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"

	"github.com/urfave/cli/v2"
)

// journalCommandName is the command whose subcommands read a journal.
const journalCommandName = "journal"

// journalDirName is the directory of the segments in a storage directory.
const journalDirName = "journal"

// journalOperand is the operand of what reads a journal.
var journalOperand = operand{"DIR", "the storage directory of an agent, or the directory journal in it", "must be a directory", "one DIR is allowed", ""}

const journalDescription = "DIR is the storage directory of an agent (--storage-dir), or the directory journal in it. It may be that of a running\n" +
	"agent, or a copy: it is only read. It may also be the file window.journal of an incident."

// journalTools are the subcommands of fodc journal.
func journalTools(run Runners) []tool {
	return []tool{inspectTool(run), exportTool(run)}
}

// journalCommand is fodc journal, with its subcommands.
func journalCommand(stderr io.Writer, run Runners) *cli.Command {
	return parentCommand(journalCommandName, "reads what an agent has kept in its storage directory", " "+journalOperand.name, journalDescription,
		journalTools(run), stderr)
}

// openJournal returns the files of a journal: those of a directory, or a segment that is a file by itself, as an incident
// has it. It also returns the name of what was opened.
func openJournal(name string) (string, journal.FS, error) {
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		f, err := os.Open(name) // The process ends with the command.
		if err != nil {
			return "", nil, err
		}
		_, files, err := journal.OpenSegment(f, info.Size())
		if err != nil {
			_ = f.Close() // Nothing was written.
			return "", nil, fmt.Errorf("%s is no segment of a journal, and %s must be %s, or one: %w", name, journalOperand.name, journalOperand.what, err)
		}
		return name, files, nil
	}
	dir, err := findJournal(name)
	if err != nil {
		return "", nil, err
	}
	return dir, diskfs.New(dir), nil
}

// findJournal returns the directory of the segments: the directory journal in dir, if there is one,
// else dir itself.
func findJournal(dir string) (string, error) {
	if _, err := os.Stat(dir); err != nil {
		return "", err
	}
	inside := filepath.Join(dir, journalDirName)
	if info, err := os.Stat(inside); err == nil && info.IsDir() {
		return inside, nil
	}
	return dir, nil
}
