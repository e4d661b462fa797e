package actorstest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Matrix is a table of every event in every state of a state machine.
type Matrix struct {
	// States are the states, each as "name: command; command". The commands lead there from
	// a new machine.
	States []string
	// Events are the events, each as "command; command".
	Events []string
	// Describe is the command that prints the state.
	Describe string
}

// RunMatrix runs each event in each state on a new machine, twice in a row, and compares the
// results with the table in the file. A row has the event, its effects, the new state if that
// differs, and the effects of the same event the second time. -update rewrites the file, to
// be reviewed as part of the change.
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
			fmt.Fprintf(&b, "%-28s %s\n", event, orDash(do(machine, event)))
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

// do runs the commands, and returns their transcript in one line.
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

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
