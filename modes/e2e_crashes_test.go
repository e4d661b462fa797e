//go:build e2e && linux

package modes_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// runNode runs a command of a shell that appends to the log.
func runNode(t *testing.T, log, command string) {
	t.Helper()
	script := filepath.Join(t.TempDir(), "run.sh")
	require.NoError(t, os.WriteFile(script, []byte(command+"\nexit 0\n"), 0o600))
	file, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer file.Close()
	shell := exec.Command("bash", script)
	shell.Stderr = file
	require.NoError(t, shell.Run())
}

// TestE2ECrashesInTheLog: processes that panic and are killed are crash records, without secrets, which outlive a kill of the
// agent in its storage directory.
func TestE2ECrashesInTheLog(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2"
	root := t.TempDir()
	log, storage, program := filepath.Join(root, "node.log"), filepath.Join(root, "storage"), filepath.Join(root, "node")
	source := "package main\n\nimport \"os\"\n\nfunc main() {\n\tif os.Args[1] == \"wait\" {\n\t\tselect {}\n\t}\n\tpanic(os.Args[1])\n}\n"
	require.NoError(t, os.WriteFile(program+".go", []byte(source), 0o600))
	out, err := exec.Command("go", "build", "-o", program, program+".go").CombinedOutput()
	require.NoError(t, err, "%s", out)
	node, proxy := startNode(t, "x 1\n"), startProxy(t)
	run := func(proxy *process) *process {
		p := startAgent(t, proxy, "n1", "data", node.endpoint(), "--node-log-file", log, "--storage-dir", storage)
		eventually(t, "the log is followed", func() error {
			if health := page(t, p.addr("agent"), "/health"); !strings.Contains(health, `"path":"`+log+`"}`) {
				return fmt.Errorf("%s", health)
			}
			return nil
		})
		return p
	}
	runNode(t, log, program+" 'before the agent'")
	agent := run(proxy)
	runNode(t, log, program+" 'password="+secret+"'")
	runNode(t, log, program+" wait &\nkill -9 $!\nwait $!")
	var kill crashAnswer
	eventually(t, "two crashes", func() error {
		var all []crashAnswer
		a, err := askProxy(proxy.addr("http"), "/diagnostics", &all)
		if err != nil || len(all) != 2 {
			return fmt.Errorf("%d records, %v, %.200s", len(all), err, a.body)
		}
		for _, c := range all {
			if strings.Contains(c.Panic.PanicValue, "Killed") {
				kill = c
			}
		}
		return nil
	})
	require.Equal(t, "SIGKILL", kill.Panic.ProcessMetadata["exit_signal"])
	require.NotEmpty(t, kill.Panic.ProcessMetadata["pid"])
	for _, c := range awaitCrashes(t, proxy, "password=***", kill.Panic.PanicValue) {
		require.Equal(t, log, c.ArtifactDir)
		require.Equal(t, "stderr", c.Panic.Component)
	}
	for _, text := range []string{page(t, proxy.addr("http"), "/diagnostics"), agent.log(), proxy.log(), page(t, agent.addr("agent"), "/metrics")} {
		require.NotContains(t, text, secret)
	}

	agent.kill(syscall.SIGKILL)
	<-agent.exited
	second := startProxy(t)
	agent = run(second)
	awaitCrashes(t, second, "password=***", kill.Panic.PanicValue)
	runNode(t, log, program+" last")
	awaitCrashes(t, second, "password=***", kill.Panic.PanicValue, "last")
	require.Contains(t, page(t, agent.addr("agent"), "/health"), `"crashes":{"records":3,`)
	agent.kill(syscall.SIGTERM)
	code, _ := agent.exitCode(patience)
	require.Zero(t, code)
	awaitCrashes(t, second, "password=***", kill.Panic.PanicValue, "last")
}

// TestE2ECrashesAtAFieldProxy: a proxy of the field gets each record of a node's crashes in the field's own form.
func TestE2ECrashesAtAFieldProxy(t *testing.T) {
	t.Parallel()
	crashes := t.TempDir()
	for i := range 3 {
		dir := filepath.Join(crashes, fmt.Sprintf("2026010%dT030405Z-storage-77", i+1))
		require.NoError(t, os.MkdirAll(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "panic.json"), fmt.Appendf(nil, `{"panicValue":"%d","breadcrumbs":[{"stage":"s","fields":{"a":1}}]}`, i), 0o600))
	}
	proxy, d := startFieldProxy(t), startDatabase(t, "data-0")
	d.startAgent(proxy.addr, "--crash-source-dir", crashes, "--max-crash-artifacts", "2")
	s := proxy.session(t, 0)
	eventually(t, "the records", func() error {
		ctx := t.Context()
		got, err := s.Collect(ctx, messages.StreamCrashes, actorstest.PlainQuestion(messages.StreamCrashes), actorstest.Count(2))
		if err != nil {
			return err
		}
		for i, r := range got {
			require.Equal(t, fmt.Sprint(i+1), actorstest.Field(r, "panicRecord.panicValue"))
			require.Equal(t, "storage", actorstest.Field(r, "panicRecord.component"))
			require.Equal(t, fields{"a": "1"}, listOfFields(actorstest.Field(r, "panicRecord.breadcrumbs"))[0]["fields"])
			require.Equal(t, []any{"panic.json"}, r["files"])
			require.NotEmpty(t, r["sourceEndpoint"])
			require.NotEmpty(t, r["fetchedAt"])
		}
		return nil
	})
}
