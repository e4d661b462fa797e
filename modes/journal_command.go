package modes

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"
)

// journalCommandName is the command whose subcommands read a journal.
const journalCommandName = "journal"

// journalDirName is the directory of the segments in a storage directory.
const journalDirName = "journal"

// journalOperand is the operand of what reads a journal.
var journalOperand = operand{"DIR", "the storage directory of an agent, or the directory journal in it", "must be a directory", "one DIR is allowed", ""}

const journalDescription = "DIR is the storage directory of an agent (--storage-dir), or the directory journal in it. It may be that of a running\n" +
	"agent, or a copy: it is only read."

// journalTools are the subcommands of fodc journal.
func journalTools(run Runners) []tool {
	return []tool{inspectTool(run), exportTool(run)}
}

// journalCommand is fodc journal, with its subcommands.
func journalCommand(stderr io.Writer, run Runners) *cli.Command {
	return parentCommand(journalCommandName, "reads what an agent has kept in its storage directory", " "+journalOperand.name, journalDescription,
		journalTools(run), stderr)
}

// findJournal returns the directory of the segments: the directory journal in dir, if there is one,
// else dir itself. It returns an error if dir is no directory.
func findJournal(dir string) (string, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is a file: %s must be %s", dir, journalOperand.name, journalOperand.what)
	}
	inside := filepath.Join(dir, journalDirName)
	if info, err := os.Stat(inside); err == nil && info.IsDir() {
		return inside, nil
	}
	return dir, nil
}
