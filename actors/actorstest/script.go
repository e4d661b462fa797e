package actorstest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite scripts with what the code answers")

// Script is a state machine under test. Do runs one command and returns its transcript. If it
// embeds a ScriptClock, RunScripts runs the command "wait DURATION" itself.
type Script interface {
	Do(command string, args []string) string
}

// ScriptClock is the clock of a script: the epoch, plus what the script has waited.
type ScriptClock struct{ waited time.Duration }

// Now returns the time in UTC, so that it prints the same everywhere.
func (c *ScriptClock) Now() time.Time { return time.Unix(0, 0).UTC().Add(c.waited) }

// Wait advances the clock.
func (c *ScriptClock) Wait(d time.Duration) { c.waited += d }

// perform runs a command on the machine, or on its clock.
func perform(m Script, command string, args []string) string {
	clock, ok := m.(interface{ Wait(d time.Duration) })
	if !ok || command != "wait" {
		return m.Do(command, args)
	}
	if len(args) != 1 {
		return "wait DURATION"
	}
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return err.Error()
	}
	clock.Wait(d)
	return ""
}

// RunScripts runs each script that matches the pattern on a new machine. A script consists of
// paragraphs with empty lines between them: command lines, a line "----", and the transcript
// of the commands. Lines that start with # are comments. -update rewrites the transcripts, to
// be reviewed as part of the change.
func RunScripts(t *testing.T, pattern string, newMachine func() Script) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts match %q: %v", pattern, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := play(string(text), newMachine())
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(text) {
				t.Errorf("%s: the transcript differs; it is now:\n%s", path, got)
			}
		})
	}
}

func play(text string, m Script) string {
	var out []string
	for paragraph := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n\n") {
		commands, _, isStep := strings.Cut(paragraph, "\n----")
		if !isStep && strings.HasPrefix(paragraph, "#") && !strings.Contains(paragraph, "\n") {
			out = append(out, paragraph)
			continue
		}
		result := commands + "\n----"
		for line := range strings.SplitSeq(commands, "\n") {
			fields := strings.Fields(line)
			if len(fields) == 0 || strings.HasPrefix(line, "#") {
				continue
			}
			if answer := strings.TrimRight(perform(m, fields[0], fields[1:]), "\n"); answer != "" {
				result += "\n" + answer
			}
		}
		out = append(out, result)
	}
	return strings.Join(out, "\n\n") + "\n"
}
