//go:build e2e && linux

package modes_test

import (
	"fmt"
	"strconv"
	"syscall"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// TestE2EJournalIsOneProcess: a second process on a directory ends, and says whose it is. The lock
// of a process that was killed is no obstacle.
func TestE2EJournalIsOneProcess(t *testing.T) {
	t.Parallel()
	proxy, node, dir := startProxy(t), startCountedNode(t, 10), t.TempDir()
	flags := []string{"--storage-dir", dir, "--poll-metrics-interval", "200ms"}
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), flags...)
	awaitJournal(t, agent, "writing")
	standalone := append([]string{"standalone", "--node-id", "n3", "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0",
		"--prometheus-listen-addr", "127.0.0.1:0", "--metrics-endpoint", node.endpoint(), "--host-telemetry=false"}, flags...)
	f := func(second *process, holder *process) {
		t.Helper()
		code, _ := second.exitCode(patience)
		require.Equal(t, 1, code)
		require.Contains(t, second.log(), dir)
		require.Contains(t, second.log(), strconv.Itoa(holder.cmd.Process.Pid))
		require.Equal(t, messages.JournalWriting, journalOf(t, holder).State)
	}
	f(startAgent(t, proxy, "n2", "liaison", node.endpoint(), flags...), agent)
	f(start(t, standalone...), agent)
	require.NotContains(t, statuses(t, proxy), "n2", "it ends before it registers")

	agent.kill(syscall.SIGKILL)
	<-agent.exited
	both := start(t, standalone...)
	awaitJournal(t, both, "writing")
	f(startAgent(t, proxy, "n1", "liaison", node.endpoint(), flags...), both)
	both.kill(syscall.SIGTERM)
	code, _ := both.exitCode(patience)
	require.Zero(t, code)
	awaitJournal(t, startAgent(t, proxy, "n1", "liaison", node.endpoint(), flags...), "writing")
}

// TestE2EJournalLockIsTakenAgain: a directory that was removed and made again is one process's, too.
func TestE2EJournalLockIsTakenAgain(t *testing.T) {
	t.Parallel()
	f := startFaulty(t, t.TempDir()+"/fodc")
	awaitJournal(t, f.agent, "writing")
	before := newestSegment(t, f.dir)
	f.removeDir()
	f.requireNewSegment(before)
	second := startAgent(t, f.proxy, "n2", "liaison", f.node.endpoint(), "--storage-dir", f.dir)
	within(t, patience, "the end of the second process", func() error {
		select {
		case <-second.exited:
			return nil
		default:
			return fmt.Errorf("it runs")
		}
	})
	code, _ := second.exitCode(patience)
	require.Equal(t, 1, code)
	require.Contains(t, second.log(), strconv.Itoa(f.agent.cmd.Process.Pid))
}
