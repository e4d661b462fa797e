package capture

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"fodc/actors/agent/mask/masktest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// nameless are the secrets of the table that are known without a name, each within a text of its own.
func nameless() (texts []string) {
	for _, c := range masktest.Secrets() {
		if c.Key == "anywhere" || c.Key == "text" {
			texts = append(texts, "x\n"+c.Value+"\n\ny\n")
		}
	}
	return texts
}

// anywhere are those that are known behind other words, too: the kernel writes a time before each line.
func anywhere() (lines []string) {
	for _, c := range masktest.Secrets() {
		if c.Key == "anywhere" && !strings.Contains(c.Value, "\n") {
			lines = append(lines, c.Value)
		}
	}
	return lines
}

// fakeKernel has the lines as its records.
type fakeKernel struct{ lines []string }

func (k *fakeKernel) next() ([]byte, error) {
	if len(k.lines) == 0 {
		return nil, io.EOF
	}
	line := k.lines[0]
	k.lines = k.lines[1:]
	return []byte("6,1,1,-;" + line), nil
}

func (k *fakeKernel) close() {}

// None of the secrets of the table is in the evidence, whatever the source is that has it.
func TestEvidenceHasNoSecret(t *testing.T) {
	texts := nameless()
	require.Greater(t, len(texts), 60)
	all := strings.Join(texts, "")
	dir := t.TempDir()
	artifact := filepath.Join(dir, "20260301T031200.000000000Z-storage-1")
	require.NoError(t, os.Mkdir(artifact, 0o755))
	for name, text := range map[string]string{"panic.json": all, "stderr.txt": all, "node.log.gz": string(zipped(all)),
		"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.txt": "x"} {
		require.NoError(t, os.WriteFile(filepath.Join(artifact, name), []byte(text), 0o644))
	}
	log := filepath.Join(t.TempDir(), "node.log")
	require.NoError(t, os.WriteFile(log, []byte(all), 0o644))
	e := askNode(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/debug/pprof/goroutine":
			_, _ = io.WriteString(w, all)
		case "/debug/pprof/mutex":
			http.Error(w, "token=hunter2-hunter2", http.StatusForbidden)
		case "/debug/pprof/block":
			http.Redirect(w, r, "http://u:hunter2-hunter2@h/", http.StatusFound)
		default:
			nodeServer(w, r)
		}
	}, func(c *Config) {
		c.NodeLogs, c.CrashDirs, c.KernelLog = []string{log}, []string{dir}, true
		c.kernelLog = func() (kernelRecords, time.Time, error) {
			return &fakeKernel{anywhere()}, time.Now(), nil
		}
		c.Process = func(time.Time) (int, string, error) { return os.Getpid(), "name password=hunter2-hunter2", nil }
		c.Crashes = func(context.Context) ([]*messages.Crash, error) {
			return nil, fmt.Errorf("token=%s", "hunter2-hunter2")
		}
	})
	for _, path := range []string{"profiles/goroutine.txt", "logs/node.log", "logs/kernel.log", "crashes/20260301T031200.000000000Z-storage-1/panic.json",
		"crashes/20260301T031200.000000000Z-storage-1/node.log.gz", "process/status.txt"} {
		require.NotEmpty(t, e.files[path], "%s: %s", path, e.reason(path))
	}
	shown := e.files
	for path, r := range e.results {
		m, _ := r.Missing()
		shown["reason of "+path] = m.Reason
	}
	for path, text := range shown {
		if z, err := gzip.NewReader(strings.NewReader(text)); err == nil && strings.HasPrefix(path, "crashes/") {
			plain, err := io.ReadAll(z)
			require.NoError(t, err)
			text = string(plain)
		}
		for _, c := range append(masktest.Secrets(), masktest.NewCase("", "", "hunter2-hunter2"), masktest.NewCase("", "", "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx")) {
			require.Empty(t, c.LeakAmong(path+"\n"+text), "%s has %s", path, c.Value)
		}
	}
}

// The stacks of a real process stay as they are: there is nothing in them to be masked.
func TestStacksStayReadable(t *testing.T) {
	for debug := 1; debug <= 2; debug++ {
		var stacks, shown bytes.Buffer
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(&stacks, debug))
		l := newLineWriter(&shown)
		_, err := l.Write(stacks.Bytes())
		require.NoError(t, err)
		require.NoError(t, l.close(nil))
		require.Equal(t, strings.TrimRight(stacks.String(), "\n"), strings.TrimRight(shown.String(), "\n"))
	}
}

// What controls a terminal, and a line that is cut in half, are not in the stacks.
func TestHostileStacks(t *testing.T) {
	e := askNode(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("debug") == "" {
			nodeServer(w, r)
			return
		}
		_, _ = io.WriteString(w, "a\x1b[31m\r\n\u202eab\u2066 \u2028 \ufeff\u009b ä\n# labels: {\"password\":\"hunter2\"}\n\nlast")
	}, nil)
	require.Equal(t, "a\\x1b[31m\n\\u202eab\\u2066 \\u2028 \\ufeff\\x9b ä\n# labels: {\"password\":***}\n\nlast\n", e.files["profiles/goroutine.txt"])

	e = askNode(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("debug") == "" {
			nodeServer(w, r)
			return
		}
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "a\nhalf of a tok")
	}, nil)
	require.Equal(t, "a\n", e.files["profiles/goroutine.txt"])
}
