package modes

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fodc/actors/agent/mask/masktest"

	"github.com/stretchr/testify/require"
)

func TestCheckCommandLine(t *testing.T) {
	f := func(want CheckMaskConfig, args ...string) {
		t.Helper()
		o := run(t, nil, nil, append([]string{"check", "mask"}, args...)...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Equal(t, want, o.config)
	}
	f(CheckMaskConfig{Files: []string{"a", "b"}}, "a", "b")
	f(CheckMaskConfig{Files: []string{"-"}}, "-")
	f(CheckMaskConfig{Files: []string{"-a"}}, "--", "-a")
	for _, args := range [][]string{{"check", "--help"}, {"help", "check"}, {"check", "mask", "--help"}} {
		o := run(t, nil, nil, args...)
		require.Equal(t, exitClean, o.code)
		require.Contains(t, o.stdout, "fodc check", args)
	}
	bad := func(words string, args ...string) {
		t.Helper()
		wrong(t, run(t, nil, nil, append([]string{"check"}, args...)...), "fodc check", words)
	}
	bad("a command is missing: must be ")
	bad(`unknown command "masks": must be `, "masks")
	bad("mask: FILE... is missing: one or more files, or - for the standard input", "mask")
	bad(`mask: FILE... "": must be the name of a file, or -`, "mask", "a", "")
	bad(`mask: unknown flag "--x"`, "mask", "--x", "a")
	require.Equal(t, exitFailure, run(t, errors.New("x"), nil, "check", "mask", "a").code)
}

func TestRunCheckMask(t *testing.T) {
	dir := t.TempDir() + string(filepath.Separator)
	require.NoError(t, os.WriteFile(dir+"a.yml", []byte("users:\n- {name: bob, password: hunter2}\n"), 0o600))
	require.NoError(t, os.WriteFile(dir+"p.properties", []byte("db.pass=hunter2\nport=1\n"), 0o600))
	require.NoError(t, os.WriteFile(dir+"bad.json", []byte("{"), 0o600))
	require.NoError(t, os.WriteFile(dir+"x.log", []byte("\x1b[31mred\u202e\tpassword:\n  hunter2\ntoken=hunter2 n=1"), 0o600))
	f := func(files []string, wantErr, wantOut, wantStderr string) {
		t.Helper()
		var out, stderr bytes.Buffer
		c := CheckMaskConfig{Stdin: strings.NewReader("a\x07 key=api_key value=hunter2\n")}
		for _, name := range files {
			if name != stdinName {
				name = dir + name
			}
			c.Files = append(c.Files, name)
		}
		err := RunCheckMask(t.Context(), c, &out, &stderr)
		if wantErr == "" {
			require.NoError(t, err, stderr.String())
		} else {
			require.EqualError(t, err, wantErr)
		}
		require.Equal(t, wantOut, strings.ReplaceAll(out.String(), dir, ""))
		require.Equal(t, wantStderr, strings.ReplaceAll(stderr.String(), dir, ""))
	}
	f([]string{"a.yml"}, "", "users.0.name: \"bob\"\nusers.0.password: \"***\"\n", "a.yml: 1 of 2 values masked\n")
	f([]string{"-"}, "", `a\x07 key=api_key value=***`+"\n", "-: 1 masked in 1 line\n")
	f([]string{"x.log"}, "", `\x1b[31mred\u202e`+"\tpassword:\n  ***\ntoken=*** n=1\n", "x.log: 2 masked in 3 lines\n")
	f([]string{"p.properties", "none", "bad.json", "."}, "not all can be sent of 3 of 4 files",
		"==> p.properties <==\ndb.pass: \"***\"\nport: \"1\"\n==> none <==\n==> bad.json <==\n==> . <==\n",
		"p.properties: 1 of 2 values masked\nnone: open none: no such file or directory\nbad.json: not valid JSON: it ends too early\n.: read .: is a directory\n")
}

// None of the secrets that need no name is shown.
func TestCheckMaskShowsNoSecret(t *testing.T) {
	dir := t.TempDir()
	for _, c := range masktest.Secrets() {
		if c.Key != "anywhere" && c.Key != "text" {
			continue // its name is needed
		}
		log := filepath.Join(dir, "a.log")
		require.NoError(t, os.WriteFile(log, []byte("x\n"+c.Value+"\ny\n"), 0o600))
		var out, stderr bytes.Buffer
		require.NoError(t, RunCheckMask(t.Context(), CheckMaskConfig{Files: []string{log}}, &out, &stderr))
		require.Empty(t, c.Leak(out.String()), "%s shows as %s", c.Value, out.String())
	}
}

// endless is an input that says when it is read, and has nothing until it is closed.
type endless struct{ asked, closed chan struct{} }

func (e endless) Read([]byte) (int, error) {
	close(e.asked)
	<-e.closed
	return 0, io.EOF
}

// A standard input that never ends does not keep the program from ending.
func TestCheckMaskEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in := endless{make(chan struct{}), make(chan struct{})}
	defer close(in.closed)
	go func() {
		<-in.asked
		cancel()
	}()
	require.ErrorIs(t, RunCheckMask(ctx, CheckMaskConfig{Files: []string{"-"}, Stdin: in}, &bytes.Buffer{}, &bytes.Buffer{}), context.Canceled)
}
