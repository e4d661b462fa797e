//go:build unix

package capture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hangOn puts a file in the place of one of a fake root that hangs whoever opens it, until the end of the test.
func hangOn(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	_ = os.Remove(path)
	require.NoError(t, syscall.Mkfifo(path, 0o644))
	t.Cleanup(func() {
		if file, err := os.OpenFile(path, os.O_RDWR, 0); err == nil { // It ends the reads.
			_ = file.Close()
		}
	})
}

// soon gives the steps less time, so that the test takes no longer.
func soon(steps []Step) []Step {
	for i := range steps {
		steps[i].Timeout = 500 * time.Millisecond
	}
	return steps
}

// A file of the kernel that hangs costs what comes behind it of its own step.
func TestProcessThatHangs(t *testing.T) {
	root := fakeRoot(t)
	hangOn(t, filepath.Join(root, "proc/42/io"))
	hangOn(t, filepath.Join(root, "proc/meminfo"))
	hangOn(t, filepath.Join(root, "sys/fs/cgroup/node/memory.stat"))
	e := newEvidence()
	begin := time.Now()
	e.runner().Run(t.Context(), soon(Plan(processConfig(root))))
	require.Less(t, time.Since(begin), 10*time.Second)
	hangs := "it hangs: it did not end with its time of 500ms"
	require.Equal(t, hangs, e.reason("process/status.txt"))
	require.Contains(t, e.files["process/status.txt"], "== status ==\nName:\tbanyand\n")
	require.Equal(t, hangs, e.reason("process/host.txt"))
	require.Contains(t, e.files["process/host.txt"], "== loadavg ==\n1 2 3\n")
	require.True(t, e.results["process/host.txt"].File.Truncated)
	// A pipe is no file of a control group.
	require.Empty(t, e.reason("process/cgroup.txt"))
	require.Contains(t, e.files["process/cgroup.txt"], "usage_usec 7")
	require.Empty(t, e.reason("process/threads.txt")+e.reason("process/files.txt"))
}

func TestThreadThatHangs(t *testing.T) {
	root := fakeRoot(t)
	for _, id := range []string{"42", "43", "44"} {
		hangOn(t, filepath.Join(root, "proc/42/task", id, "wchan"))
	}
	e := newEvidence()
	e.runner().Run(t.Context(), soon(Plan(processConfig(root))))
	require.Contains(t, e.reason("process/threads.txt"), "hangs")
	require.Contains(t, e.files["process/files.txt"], "open files: 8")
}

// The search for the process hangs: each step says so, and none waits for another.
func TestSearchThatHangs(t *testing.T) {
	cfg := processConfig(fakeRoot(t))
	end := make(chan struct{})
	defer close(end)
	cfg.Process = func(time.Time) (int, string, error) { <-end; return 0, "", errors.New("late") }
	e := newEvidence()
	begin := time.Now()
	e.runner().Run(t.Context(), soon(Plan(cfg)))
	require.Less(t, time.Since(begin), 10*time.Second)
	for _, name := range []string{"status", "threads", "files", "cgroup"} {
		why := e.reason("process/" + name + ".txt")
		require.True(t, strings.Contains(why, "hangs") || strings.Contains(why, "the kernel does not answer"), why)
	}
	require.Contains(t, e.files["process/host.txt"], "1 2 3")
}

// A log that is a pipe is not opened, also if it becomes one later.
func TestNodeLogIsAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.log")
	require.NoError(t, syscall.Mkfifo(path, 0o644))
	e := follow(t, path, func() {})
	require.Contains(t, e.reason("logs/node.log"), "no regular file")

	require.NoError(t, os.Remove(path))
	write(t, path, "1\n")
	e = follow(t, path, func() {
		write(t, path, "2\n")
		require.NoError(t, os.Rename(path, path+".1"))
		require.NoError(t, syscall.Mkfifo(path, 0o644))
		pass(time.Minute)
	})
	require.Equal(t, "1\n", e.files["logs/node.log"])
	require.Equal(t, "2\n", e.files["logs/node-after.log"])
	require.Contains(t, e.reason("logs/node-after.log"), "no regular file")
}

// A file of an artifact that becomes a link or a pipe is not opened.
func TestArtifactsThatAreNone(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "a"), 0o755))
	for _, name := range []string{"link", "pipe", "gone", "good"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a", name), []byte("text\n"), 0o644))
	}
	cfg := Config{CrashDirs: []string{dir}}
	steps, err := cfg.artifacts()
	require.NoError(t, err)
	require.Len(t, steps, 4)
	for _, name := range []string{"link", "pipe", "gone"} {
		require.NoError(t, os.Remove(filepath.Join(dir, "a", name)))
	}
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "a", "link")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "a", "pipe"), 0o644))
	e := newEvidence()
	e.runner().Run(t.Context(), steps)
	require.Equal(t, map[string]string{"crashes/a/good": "text\n"}, e.files)
	require.Contains(t, e.reason("crashes/a/link"), "no regular file")
	require.Contains(t, e.reason("crashes/a/pipe"), "no regular file")
	require.Contains(t, e.reason("crashes/a/gone"), "no such file")
}

// A process with very many threads and files costs a bounded text.
func TestLargeProcess(t *testing.T) {
	root := fakeRoot(t)
	fds := filepath.Join(root, "proc/42/fd")
	for i := range 3000 {
		require.NoError(t, os.Symlink(fmt.Sprintf("/data/%04d/file", i), filepath.Join(fds, fmt.Sprint(1000+i))))
	}
	e := newEvidence()
	e.runner().Run(context.Background(), Plan(processConfig(root)))
	text := e.files["process/files.txt"]
	require.Contains(t, text, "open files: 3008")
	require.Less(t, strings.Count(text, "\n"), shownGroups+20)
}
