//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// crashJSON is a panic.json as the database writes it.
func crashJSON(value string) string {
	b, _ := json.Marshal(map[string]any{"occurredAt": crashedAt.Format(time.RFC3339), "component": "data", "panicValue": value,
		"goroutineStack": "goroutine 1 [running]:\nmain.main()", "recovered": false,
		"breadcrumbs": []any{map[string]any{"time": crashedAt.Format(time.RFC3339), "stage": "flush", "component": "data", "fields": map[string]string{"part": "7"}}}})
	return string(b)
}

// writeCrash writes an artifact.
func writeCrash(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name, "panic.json"), []byte(text), 0o644))
}

// sparse makes a file that has so many bytes and takes no room.
func sparse(t *testing.T, path string, size int64) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(size))
	require.NoError(t, f.Close())
}

// awaitCrashes waits until a proxy has exactly these panic values, in any order, and returns the records.
func awaitCrashes(t *testing.T, proxy *process, values ...string) (all []crashAnswer) {
	t.Helper()
	slices.Sort(values)
	eventually(t, "the crash records", func() error {
		all = nil
		a, err := askProxy(proxy.addr("http"), "/diagnostics", &all)
		var got []string
		for _, c := range all {
			got = append(got, c.Panic.PanicValue)
		}
		slices.Sort(got)
		if err == nil && !slices.Equal(values, got) {
			err = fmt.Errorf("got %q, want %q; %.200s", got, values, a.body)
		}
		return err
	})
	return all
}

const crashDirName = "20260102T030405Z-data-"

// TestE2ECrashRecords: of the directories that a database writes slowly, by halves, twice, with links and large files in them, the right
// records come, with bounded memory. They are there when the agent is gone, and when the proxy was killed and started again.
func TestE2ECrashRecords(t *testing.T) {
	t.Parallel()
	storage, d, outside := t.TempDir(), startDatabase(t, "data-0"), t.TempDir()
	proxy := startProxy(t, "--storage-dir", storage)
	agent := d.startAgent(proxy.addr("grpc"), "--crash-source-dir", d.crashes)
	writeCrash(t, d.crashes, crashDirName+"1", crashJSON("first"))
	awaitCrashes(t, proxy, "first")
	before := anonymous(agent)

	whole := crashJSON("slowly written")
	writeCrash(t, d.crashes, crashDirName+"2", whole[:len(whole)/2])
	writeCrash(t, outside, "elsewhere", crashJSON("outside"))
	require.NoError(t, os.Symlink(filepath.Join(outside, "elsewhere"), filepath.Join(d.crashes, crashDirName+"3")))
	require.NoError(t, os.Mkdir(filepath.Join(d.crashes, crashDirName+"4"), 0o755))
	require.NoError(t, os.Symlink(filepath.Join(outside, "elsewhere", "panic.json"), filepath.Join(d.crashes, crashDirName+"4", "panic.json")))
	sparse(t, filepath.Join(d.crashes, crashDirName+"5", "panic.json"), 1<<30)
	sparse(t, filepath.Join(d.crashes, crashDirName+"6", "core"), 1<<30)
	writeCrash(t, d.crashes, crashDirName+"6", crashJSON("with a large file"))
	writeCrash(t, d.crashes, crashDirName+"7", "{}")
	writeCrash(t, d.crashes, crashDirName+"1", crashJSON("first")) // again
	var all []crashAnswer
	most := mostOf(agent, func() { all = awaitCrashes(t, proxy, "first", "with a large file") })
	for _, c := range all {
		if c.Panic.PanicValue == "with a large file" {
			require.ElementsMatch(t, []string{"core", "panic.json"}, c.Files)
		}
		require.Equal(t, "data-0", c.NodeID)
		require.Equal(t, "pod-data-0", c.PodName)
		require.Equal(t, "ROLE_DATA", c.Role)
		require.True(t, crashedAt.Equal(c.Panic.OccurredAt))
	}
	t.Logf("the agent has %.1f MiB, %.1f MiB at most", float64(before)/(1<<20), float64(most)/(1<<20))
	require.Less(t, most-before, int64(16<<20), "more memory for crash artifacts")
	writeCrash(t, d.crashes, crashDirName+"2", whole)
	awaitCrashes(t, proxy, "first", "with a large file", "slowly written")
	requireUndisturbed(t, proxy, 1)

	agent.kill(syscall.SIGKILL)
	<-agent.exited
	awaitCrashes(t, proxy, "first", "with a large file", "slowly written")
	eventually(t, "all records are on disk", func() error {
		if files, _ := filepath.Glob(filepath.Join(storage, "crashes", "*.json")); len(files) != 3 {
			return fmt.Errorf("%q", files)
		}
		return nil
	})
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		proxy.kill(signal)
		<-proxy.exited
		proxy = startProxy(t, "--storage-dir", storage)
		awaitCrashes(t, proxy, "first", "with a large file", "slowly written")
	}
	d.startAgent(proxy.addr("grpc"), "--crash-source-dir", d.crashes)
	writeCrash(t, d.crashes, crashDirName+"8", crashJSON("later"))
	awaitCrashes(t, proxy, "first", "with a large file", "slowly written", "later")
}

// TestE2ECrashOfARealProcess: the end of a Go program whose standard error is the node's log is a crash record with its stacks.
func TestE2ECrashOfARealProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := "package main\n\nfunc explode(n int) { panic(map[bool]string{true: \"the index is broken\"}[n > 0]) }\n\nfunc main() {\n\tgo func() { select {} }()\n\texplode(1)\n}\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o644))
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "node"), filepath.Join(dir, "main.go")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	log, err := os.Create(filepath.Join(dir, "node.log"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = log.Close() })
	_, err = log.WriteString("{\"level\":\"info\",\"msg\":\"started\"}\n")
	require.NoError(t, err)

	proxy, d := startProxy(t), startDatabase(t, "data-0")
	d.startAgent(proxy.addr("grpc"), "--node-log-file", log.Name())
	awaitStatuses(t, proxy, "data-0", "online")
	node := exec.Command(filepath.Join(dir, "node"))
	node.Stdout, node.Stderr = log, log
	require.Error(t, node.Run())
	all := awaitCrashes(t, proxy, "the index is broken")
	require.Contains(t, all[0].Panic.GoroutineStack, "main.explode")
	require.WithinDuration(t, time.Now(), all[0].Panic.OccurredAt, patience)
	require.Len(t, all, 1)
}

// TestE2ECrashesOfAnotherUser: what the agent may not read is said, and harms no other record; it comes as soon as the agent may.
func TestE2ECrashesOfAnotherUser(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("setpriv"); err != nil || os.Getuid() != 0 {
		t.Skip("it takes root and setpriv to run an agent as another user")
	}
	// Directories of tests are for their user only.
	dir, err := os.MkdirTemp("", "fodc-crashes")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program := filepath.Join(dir, "fodc")
	b, err := os.ReadFile(binary)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, b, 0o755))
	require.NoError(t, os.Chmod(dir, 0o755))
	proxy, d := startProxy(t), startDatabase(t, "data-0")
	writeCrash(t, dir, crashDirName+"1", crashJSON("secret"))
	writeCrash(t, dir, crashDirName+"2", crashJSON("open"))
	require.NoError(t, os.Chmod(filepath.Join(dir, crashDirName+"1"), 0o700))
	agent := startCommand(t, append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program},
		d.args(proxy.addr("grpc"), "--crash-source-dir", dir, "--lifecycle-report-dir", "")...)...)
	awaitCrashes(t, proxy, "open")
	eventually(t, "the agent says so", func() error {
		if !strings.Contains(agent.log(), "permission denied") {
			return fmt.Errorf("it does not")
		}
		return nil
	})
	require.NoError(t, os.Chmod(filepath.Join(dir, crashDirName+"1"), 0o755))
	begin := time.Now()
	within(t, 45*time.Second, "the other record", func() error {
		var all []crashAnswer
		if a, err := askProxy(proxy.addr("http"), "/diagnostics", &all); err != nil || len(all) != 2 {
			return fmt.Errorf("%d records, %v, %.200s", len(all), err, a.body)
		}
		return nil
	})
	t.Logf("it comes %s after the agent may read it", time.Since(begin))
}
