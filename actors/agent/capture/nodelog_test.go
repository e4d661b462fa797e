package capture

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	_, err = file.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}

// follow runs the steps of a log, and what happens from their begin to the freeze.
func follow(t *testing.T, path string, during func()) *evidence {
	t.Helper()
	e := newEvidence()
	synctest.Test(t, func(t *testing.T) {
		frozen := make(chan struct{})
		done := make(chan struct{})
		steps := Plan(Config{NodeLogs: []string{path}, Frozen: frozen})
		require.Len(t, steps, 2)
		go func() {
			e.runner().Run(t.Context(), steps)
			close(done)
		}()
		time.Sleep(time.Second)
		during()
		close(frozen)
		begin := time.Now()
		<-done
		require.LessOrEqual(t, time.Since(begin), followGrace+2*stepGrace)
	})
	return e
}

// pass lets fake time go by, within follow.
func pass(d time.Duration) { time.Sleep(d) }

func TestNodeLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.log")
	write(t, path, "first password=hunter2\nwithout an e")
	e := follow(t, path, func() {
		write(t, path, "nd\n-----BEGIN RSA PRIVATE KEY-----\n")
		time.Sleep(time.Second)
		write(t, path, "aGVsbG8gd29ybGQ=\n-----END RSA PRIVATE KEY-----\nesc \x1b[31m\nlast")
	})
	require.Equal(t, map[string]string{
		"logs/node.log":       "first password=***\n",
		"logs/node-after.log": "without an end\n***\n***\n***\nesc \\x1b[31m\nlast\n",
	}, e.files)
	require.Empty(t, e.reason("logs/node.log")+e.reason("logs/node-after.log"))
}

// An incident that somebody asks for may be frozen at once. The end of the log is in the same file then as in any other.
func TestNodeLogOfIncidentThatIsFrozenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "node.log")
		write(t, path, "one\ntwo\n")
		frozen := make(chan struct{})
		close(frozen)
		steps := Plan(Config{NodeLogs: []string{path}, Frozen: frozen})
		require.Len(t, steps, 2)
		var tail, after strings.Builder
		followed := make(chan error)
		go func() { followed <- steps[1].Run(t.Context(), &after) }()
		synctest.Wait() // The other step is slower.
		require.NoError(t, steps[0].Run(t.Context(), &tail))
		require.NoError(t, <-followed)
		require.Equal(t, "one\ntwo\n", tail.String())
		require.Empty(t, after.String())
	})
}

func TestNodeLogIsRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.log")
	write(t, path, "1\n")
	e := follow(t, path, func() {
		write(t, path, "2\n")
		require.NoError(t, os.Rename(path, path+".1"))
		write(t, path+".1", "3\n")
		write(t, path, "4\n")
		time.Sleep(10 * time.Second)
		require.NoError(t, os.Truncate(path, 0))
		time.Sleep(2 * followInterval)
		write(t, path, "5\n")
		time.Sleep(2 * followInterval)
		require.NoError(t, os.Remove(path))
		time.Sleep(20 * time.Second)
		write(t, path, "6\n")
	})
	require.Equal(t, "1\n", e.files["logs/node.log"])
	require.Equal(t, "2\n3\n4\n5\n6\n", e.files["logs/node-after.log"])
}

// The end of a large log is what is taken, and of much that is written the first part.
func TestLargeNodeLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.log")
	line := strings.Repeat("word ", 20)[:99] + "\n"
	write(t, path, strings.Repeat(line, 30_000))
	e := follow(t, path, func() {
		for range 12 {
			write(t, path, strings.Repeat(line, 10_000))
			time.Sleep(2 * time.Second)
		}
	})
	require.InDelta(t, tailBytes, len(e.files["logs/node.log"]), 100)
	require.True(t, strings.HasPrefix(e.files["logs/node.log"], line), "it begins with a whole line")
	require.Len(t, e.files["logs/node-after.log"], maxFollowedBytes)
	require.True(t, e.results["logs/node-after.log"].File.Truncated)
}

func TestNodeLogsThatAreNone(t *testing.T) {
	f := func(make func(path string), want, after string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "node.log")
		make(path)
		e := follow(t, path, func() {})
		require.Contains(t, e.reason("logs/node.log"), want)
		require.Contains(t, e.reason("logs/node-after.log"), after)
	}
	f(func(string) {}, "no such file", "no such file")
	f(func(p string) { require.NoError(t, os.Mkdir(p, 0o755)) }, "no regular file", "no regular file")
	f(func(p string) { require.NoError(t, os.WriteFile(p, nil, 0o644)) }, "", "")

	// One line without an end, of 1 TB.
	path := filepath.Join(t.TempDir(), "node.log")
	require.NoError(t, os.WriteFile(path, nil, 0o644))
	if os.Truncate(path, 1<<40) != nil {
		t.Skip("the file system has no files of that size")
	}
	begin := time.Now()
	e := follow(t, path, func() { write(t, path, "\nend\n") })
	require.Less(t, time.Since(begin), 5*time.Second)
	require.Equal(t, fmt.Sprintf("(no whole line in its last %d bytes)\n", tailBytes), e.files["logs/node.log"])
	require.Equal(t, "end\n", e.files["logs/node-after.log"])
}

// After a restart of the agent, the end of the log stays, and what is written goes into a further file.
func TestNodeLogAfterRestart(t *testing.T) {
	have := map[string]bool{"logs/node.log": true, "logs/node-after.log": true}
	steps := Plan(Config{NodeLogs: []string{"/var/log/node.log"}, Frozen: make(chan struct{}), Have: func(p string) bool { return have[p] }})
	require.Len(t, steps, 1)
	require.Equal(t, "logs/node-after-2.log", steps[0].Path)

	steps = Plan(Config{NodeLogs: []string{"/a/node.log", "/b/Node", "/c/kernel.log", "/d/con.log", "/e/ä b.log"}, KernelLog: true})
	paths := map[string]bool{}
	for _, s := range steps {
		paths[s.Path] = true
	}
	require.Equal(t, map[string]bool{"logs/node.log": true, "logs/Node-2.log": true, "logs/kernel-2.log": true, "logs/_con.log": true, "logs/__b.log": true, "logs/kernel.log": true}, paths)
}

func TestPrintable(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		require.Equal(t, want, printable(text))
	}
	f("a\tb ä", "a\tb ä")
	f("a\x00\x1b[0m\u0085", `a\x00\x1b[0m\x85`)
	f(strings.Repeat("\x00", 1<<20)+"x\x01", `\x00\x00\x00\x00(1048576 times)x\x01`)
}
