package clidoc

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var program = Command{Name: "prog", Usage: "does it", Description: "It does.\n.not a request\n'nor this", Flags: []Flag{{Name: "help", Usage: "shows help"}}, Commands: []Command{
	{Name: "run", Usage: "runs: it's all", Flags: []Flag{{Name: "level", Value: "LEVEL", Usage: `the "level"`, Default: "low", Variable: "PROG_LEVEL", Choices: []string{"low", "high"}},
		{Name: "file", Value: "FILE", Usage: "a $file \\ `here`"}, {Name: "dir", Value: "DIRECTORY", Usage: "a directory"}, {Name: "wait", Value: "DURATION", Usage: "a wait"}, {Name: "fast", Usage: "no wait"}}},
	{Name: "check", Usage: "checks", Flags: []Flag{{Name: "version", Usage: "the version"}}, Commands: []Command{
		{Name: "run", Usage: "checks a run", Like: "prog run", Flags: []Flag{{Name: "deep", Usage: "deeply"}}},
		{Name: "file", Usage: "checks files", Operand: "FILE..."}}},
}}

// complete returns what a real bash completes the words to. The last one is what is completed.
func complete(t *testing.T, script string, words ...string) []string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a file"), nil, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "a dir"), 0o700))
	var quoted []string
	for _, w := range words {
		quoted = append(quoted, quote(w))
	}
	cmd := exec.CommandContext(t.Context(), bash, "--norc", "--noprofile", "-c", script+"\nset -u\nCOMP_WORDS=("+strings.Join(quoted, " ")+")\nCOMP_CWORD="+
		strconv.Itoa(len(words)-1)+"\n_"+words[0]+"\nprintf '%s\\n' \"${COMPREPLY[@]+\"${COMPREPLY[@]}\"}\"")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	if strings.TrimSpace(string(out)) == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func TestBash(t *testing.T) {
	script := Bash(program)
	f := func(want []string, words ...string) {
		t.Helper()
		require.ElementsMatch(t, want, complete(t, script, append([]string{"prog"}, words...)...), words)
	}
	f([]string{"run", "check"}, "")
	f([]string{"run"}, "r")
	f([]string{"--help"}, "-")
	f([]string{"run", "file"}, "check", "")
	f([]string{"--version"}, "check", "--")
	f([]string{"--deep"}, "check", "run", "--")
	f([]string{"--level", "--file", "--dir", "--wait", "--fast"}, "run", "--")
	f([]string{"--fast", "--file"}, "run", "--level", "low", "--f")
	f([]string{"low", "high"}, "run", "--level", "")
	f([]string{"high"}, "run", "--level", "h")
	f([]string{"low", "high"}, "run", "--level", "=")
	f([]string{"high"}, "run", "--level", "=", "h")
	f([]string{"a file", "a dir"}, "run", "--file", "a")
	f([]string{"a file", "a dir"}, "run", "--file", "=", "a")
	f([]string{"a dir"}, "run", "--dir", "a")
	f(nil, "run", "--wait", "")
	f([]string{"--file"}, "run", "--fast", "--fi")
	f([]string{"a file", "a dir"}, "check", "file", "a")
	f(nil, "run", "x")
	f(nil, "run", "--level", "run", "$(touch x)")
}

// What completes is also what a shell has registered.
func TestBashIsRegistered(t *testing.T) {
	require.Contains(t, Bash(program), "\ncomplete -F _prog prog\n")
}

// The other shells take their scripts, where they are at hand.
func TestOtherShells(t *testing.T) {
	for shell, script := range map[string]string{"zsh": Zsh(program), "fish": Fish(program)} {
		require.Contains(t, script, "level")
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		file := filepath.Join(t.TempDir(), "script")
		require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
		out, err := exec.CommandContext(t.Context(), path, "-n", file).CombinedOutput()
		require.NoError(t, err, "%s: %s", shell, out)
	}
}

func TestQuotes(t *testing.T) {
	require.Equal(t, `'it'\''s'`, quote("it's"))
	require.Equal(t, `'it\'s \\'`, fishQuote(`it's \`))
	require.Contains(t, Zsh(program), `'run:runs: it'\''s all'`)
	require.Contains(t, Fish(program), `-d 'runs: it\'s all'`)
}
