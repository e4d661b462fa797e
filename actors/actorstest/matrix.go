package actorstest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Matrix is every event in every state of a machine.
type Matrix struct {
	// States are the states, each as "name: command; command", which lead there from the
	// start.
	States []string
	// Events are the events, each as "command; command".
	Events []string
	// Describe is the command that tells the state.
	Describe string
}

// RunMatrix plays each event in each state, twice, each time on a new machine, and
// compares what they did with the table in the file. A row is the event, what it did,
// the state that it led to if that is another one, and what the same event did again.
// With -update the table is written anew, to be reviewed as part of the change.
func RunMatrix(t *testing.T, path string, m Matrix, newMachine func() Script) {
	t.Helper()
	got := m.play(newMachine)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: the table differs; it is now:\n%s", path, got)
	}
}

func (m Matrix) play(newMachine func() Script) string {
	var b strings.Builder
	for _, state := range m.States {
		name, path, _ := strings.Cut(state, ":")
		machine := newMachine()
		do(machine, path)
		at := do(machine, m.Describe)
		fmt.Fprintf(&b, "== %s: %s\n", name, at)
		for _, event := range m.Events {
			machine := newMachine()
			do(machine, path)
			fmt.Fprintf(&b, "%-28s %s\n", event, orNothing(do(machine, event)))
			after := do(machine, m.Describe)
			if after != at {
				fmt.Fprintf(&b, "%28s -> %s\n", "", after)
			}
			if again := do(machine, event); again != "" {
				fmt.Fprintf(&b, "%28s again: %s\n", "", again)
			}
			if last := do(machine, m.Describe); last != after {
				fmt.Fprintf(&b, "%28s -> %s\n", "", last)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// do performs the commands, and returns what they did in one line.
func do(m Script, commands string) string {
	var did []string
	for command := range strings.SplitSeq(commands, ";") {
		words := strings.Fields(command)
		if len(words) == 0 {
			continue
		}
		for line := range strings.Lines(perform(m, words[0], words[1:])) {
			if line = strings.TrimSpace(line); line != "" {
				did = append(did, line)
			}
		}
	}
	return strings.Join(did, "; ")
}

func orNothing(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
