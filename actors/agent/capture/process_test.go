package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// fakeRoot is a proc and a sys with process 42.
func fakeRoot(t *testing.T) string {
	root := t.TempDir()
	for name, text := range map[string]string{
		"proc/loadavg":                     "1 2 3\n",
		"proc/42/status":                   "Name:\tbanyand\n",
		"proc/42/stat":                     "42 (banyand) S 1 1 1\n",
		"proc/42/cgroup":                   "0::/node\n",
		"proc/42/task/42/stat":             "42 (ban) (and) S 1 1 1 0 -1 4 1 2 3 4 150 50 0 0\n",
		"proc/42/task/42/wchan":            "futex_wait_queue",
		"proc/42/task/42/stack":            "[<0>] futex_wait\n",
		"proc/42/task/43/stat":             "43 (x password=hunter2) D 1 1 1 0 -1 4 1 2 3 4 0 0 0 0\n",
		"proc/42/task/44/stat":             "nonsense",
		"sys/fs/cgroup/cgroup.controllers": "memory\n",
		"sys/fs/cgroup/node/memory.stat":   "anon 1\n",
		"sys/fs/cgroup/node/cpu.stat":      "usage_usec 7\n",
	} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	fds := filepath.Join(root, "proc/42/fd")
	require.NoError(t, os.MkdirAll(fds, 0o755))
	targets := []string{"socket:[1]", "socket:[2]", "pipe:[3]", "anon_inode:[eventpoll]", "/data/seg/a", "/data/seg/b", "/data/old (deleted)", "/dev/null"}
	for i, target := range targets {
		require.NoError(t, os.Symlink(target, filepath.Join(fds, strconv.Itoa(i))))
	}
	return root
}

func processConfig(root string) Config {
	return Config{Root: root, Process: func(time.Time) (int, string, error) { return 42, "name banyand", nil }}
}

func TestProcess(t *testing.T) {
	e := newEvidence()
	cfg := processConfig(fakeRoot(t))
	cfg.DataDirs = []string{t.TempDir()}
	e.runner().Run(t.Context(), Plan(cfg))
	f := func(path string, want ...string) {
		t.Helper()
		require.Empty(t, e.reason(path))
		for _, w := range want {
			require.Contains(t, e.files[path], w)
		}
	}
	f("process/status.txt", "# process 42 (name banyand)", "== status ==\nName:\tbanyand\n", "== io ==\n(no such file or directory)\n")
	f("process/threads.txt", "      42 S           1.50       0.50  futex_wait_queue             ban) (and\n", "x password=***\n", "threads by state: 3", "1 ended meanwhile",
		"\n1 in state\nS\n[<0>] futex_wait\n", "(no such file or directory): it takes root")
	f("process/files.txt", "open files: 8", "2 socket\n", "2 file\n", "1 deleted file\n", "2 /data/seg\n", "1 anon_inode:[eventpoll]\n")
	f("process/cgroup.txt", "== memory.stat ==\nanon 1\n", "== cpu.stat ==\nusage_usec 7\n")
	f("process/host.txt", "== loadavg ==\n1 2 3\n", "== pressure/memory ==\n(no such")
	if runtime.GOOS == "linux" {
		f("process/space.txt", "available: ", "inodes: ")
	}
}

func TestProcessIsNotFound(t *testing.T) {
	e := newEvidence()
	cfg := processConfig(fakeRoot(t))
	asked := 0
	cfg.Process = func(time.Time) (int, string, error) {
		asked++
		return 0, "", errors.New("no process is called banyand")
	}
	e.runner().Run(t.Context(), Plan(cfg))
	for _, name := range []string{"status", "threads", "files", "cgroup"} {
		require.Equal(t, "the node's process: no process is called banyand", e.reason("process/"+name+".txt"))
	}
	require.Equal(t, 1, asked)

	// It ends before it is read.
	e = newEvidence()
	cfg.Process = func(time.Time) (int, string, error) { return 43, "by", nil }
	e.runner().Run(t.Context(), Plan(cfg))
	for _, name := range []string{"status", "threads", "files", "cgroup"} {
		require.Contains(t, e.reason("process/"+name+".txt"), "no such file", name)
	}
}

// Of the real thing, as far as it is here.
func TestThisProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		e := newEvidence()
		e.runner().Run(t.Context(), Plan(Config{Process: func(time.Time) (int, string, error) { return os.Getpid(), "own", nil }, KernelLog: true}))
		require.Contains(t, e.reason("process/status.txt"), "this system is "+runtime.GOOS)
		require.Contains(t, e.reason(kernelPath), "this system is "+runtime.GOOS)
		return
	}
	e := newEvidence()
	e.runner().Run(t.Context(), Plan(Config{Process: func(time.Time) (int, string, error) { return os.Getpid(), "own", nil }, DataDirs: []string{"/"}, KernelLog: true}))
	require.Contains(t, e.files["process/status.txt"], "== limits ==\nLimit")
	require.Contains(t, e.files["process/threads.txt"], "threads by state")
	require.Contains(t, e.files["process/files.txt"], "== by kind ==")
	require.Contains(t, e.files["process/space.txt"], "mounted at: /")
	if why := e.reason(kernelPath); why != "" {
		require.Contains(t, why, "the kernel's log cannot be read: ")
	} else {
		require.LessOrEqual(t, strings.Count(e.files[kernelPath], "\n"), maxKernelLines)
	}
}

type fakeKernelLog struct {
	n, of int
	text  string
	err   error
}

func (k *fakeKernelLog) next() ([]byte, error) {
	if k.n == k.of {
		return nil, k.err
	}
	k.n++
	return fmt.Appendf(nil, "3,%d,%d,-;%s\n SUBSYSTEM=x", k.n, k.n*1_000_001, k.text), nil
}
func (k *fakeKernelLog) close() {}

func TestKernelLog(t *testing.T) {
	run := func(open func() (kernelRecords, time.Time, error)) *evidence {
		e := newEvidence()
		e.runner().Run(t.Context(), Plan(Config{KernelLog: true, kernelLog: open}))
		return e
	}
	boot := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	log := func(k *fakeKernelLog) func() (kernelRecords, time.Time, error) {
		return func() (kernelRecords, time.Time, error) { return k, boot, nil }
	}
	e := run(log(&fakeKernelLog{of: 2, text: "Out of memory: Killed process 42 (banyand) token=hunter2", err: io.EOF}))
	require.Equal(t, "2026-03-01T03:00:01.000Z [1.000001] err: Out of memory: Killed process 42 (banyand) token=***\n"+
		"2026-03-01T03:00:02.000Z [2.000002] err: Out of memory: Killed process 42 (banyand) token=***\n", e.files[kernelPath])

	e = run(log(&fakeKernelLog{of: 5000, text: "x", err: io.EOF}))
	require.Equal(t, maxKernelLines, strings.Count(e.files[kernelPath], "\n"))
	require.Contains(t, e.files[kernelPath], "[5000.005000]")
	e = run(log(&fakeKernelLog{of: 500, text: strings.Repeat("word ", 400), err: io.EOF}))
	require.InDelta(t, maxKernelBytes, len(e.files[kernelPath]), 20_000)

	e = run(log(&fakeKernelLog{of: 2, text: "x", err: errors.New("gone")}))
	require.Equal(t, 2, strings.Count(e.files[kernelPath], "\n"))
	require.Equal(t, "the kernel's log cannot be read: gone", e.reason(kernelPath))
	e = run(func() (kernelRecords, time.Time, error) { return nil, boot, errors.New("/dev/kmsg: not permitted") })
	require.Equal(t, "the kernel's log cannot be read: /dev/kmsg: not permitted", e.reason(kernelPath))
	require.NotContains(t, e.files, kernelPath)
}

// At the freeze the kernel's log is what came since the opening.
func TestKernelLogAtTheFreeze(t *testing.T) {
	boot := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	f := func(opened time.Duration, had bool, want string) {
		t.Helper()
		e := newEvidence()
		e.runner().Run(t.Context(), PlanFreeze(Config{KernelLog: true, Opened: boot.Add(opened), Have: func(path string) bool { return had && path == kernelPath },
			kernelLog: func() (kernelRecords, time.Time, error) {
				return &fakeKernelLog{of: 5, text: "x", err: io.EOF}, boot, nil
			}}))
		require.Equal(t, want, e.files[kernelFrozenPath])
	}
	last := "2026-03-01T03:00:05.000Z [5.000005] err: x\n"
	f(5500*time.Millisecond, true, last)
	f(7*time.Second, true, "(the kernel has logged nothing since 2026-03-01T03:00:07Z)\n")
	f(7*time.Second, false, "2026-03-01T03:00:01.000Z [1.000001] err: x\n2026-03-01T03:00:02.000Z [2.000002] err: x\n"+
		"2026-03-01T03:00:03.000Z [3.000003] err: x\n2026-03-01T03:00:04.000Z [4.000004] err: x\n"+last)
}

func FuzzKernelLine(f *testing.F) {
	f.Add("6,1,2,-;text\n A=b")
	f.Add("-1,1,-2,-;text")
	f.Fuzz(func(t *testing.T, record string) { _ = kernelLine(record, time.Unix(0, 0)) })
}

func FuzzThread(f *testing.F) {
	f.Add("42 (a) S 1 1 1 0 -1 4 1 2 3 4 150 50 0 0")
	f.Fuzz(func(t *testing.T, stat string) { _, _ = parseThread(stat) })
}

func TestAgentFiles(t *testing.T) {
	e := newEvidence()
	cfg := Config{
		NodeConfig: func(context.Context) (*messages.NodeConfig, error) {
			return &messages.NodeConfig{StartupParams: []messages.ConfigParam{{Key: "--a", Value: `"<b>"`}}}, nil
		},
		Actors: func() messages.ActorTree { return messages.ActorTree{DeadLetters: 7} },
	}
	e.runner().Run(t.Context(), Plan(cfg))
	require.JSONEq(t, `{"collected_at":"0001-01-01T00:00:00Z","startup_params":{"--a":"<b>"},"runtime_config":{},"sources":[],"errors":[]}`, e.files["config.json"])
	require.Contains(t, e.files["agent/actors.json"], `"dead_letters": 7`)

	cfg.NodeConfig = func(context.Context) (*messages.NodeConfig, error) { return nil, nil }
	e = newEvidence()
	e.runner().Run(t.Context(), Plan(cfg))
	require.Equal(t, "nothing is known of the node's configuration", e.reason("config.json"))
}
