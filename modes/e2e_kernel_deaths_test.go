//go:build e2e && linux && (amd64 || arm64)

package modes_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fodc/messages"
	"fodc/modes/nodetest"

	"github.com/stretchr/testify/require"
)

// deathScrapes is how often the agent of a node that dies scrapes: a death is to be known before the next one.
const deathScrapes = 5 * time.Second

// dyingNode is a node with an agent beside it.
type dyingNode struct {
	t        *testing.T
	settings nodetest.Settings
	cmd      *exec.Cmd
	agent    *process
}

// startDyingNode starts a node and its agent, each by way of a command if need be, and waits until the agent has found the node.
func startDyingNode(t *testing.T, by, agentBy []string) *dyingNode {
	t.Helper()
	dir := t.TempDir()
	page, err := filepath.Abs("../testdata/banyandb/standalone-05.prom")
	require.NoError(t, err)
	n := &dyingNode{t: t, settings: nodetest.Settings{Metrics: fixedPort(t), Profiles: fixedPort(t), Log: filepath.Join(dir, "node.log"),
		PIDFile: filepath.Join(dir, "node.pid"), Page: page}}
	n.cmd = startLoadedNode(t, n.settings, by...)
	args := agentArgs("127.0.0.1:1", "data-0", "datanode-hot", "http://"+n.settings.Metrics+"/metrics", "--host-telemetry=true",
		"--node-pid-file", n.settings.PIDFile, "--poll-metrics-interval", deathScrapes.String())
	n.agent = startCommand(t, append(append(agentBy, binary), args...)...)
	eventually(t, "the agent knows the node's process", func() error {
		return n.shows("fodc_node_process_start_time_seconds")
	})
	return n
}

// shows returns an error unless the agent's page has each of the texts.
func (n *dyingNode) shows(texts ...string) error {
	_, body, _, err := get(n.agent.addr("agent"), "/metrics")
	for _, text := range texts {
		if err == nil && !strings.Contains(body, text) {
			err = fmt.Errorf("no %s", text)
		}
	}
	return err
}

// awaitFollowed waits until the kernel tells of the node's process.
func (n *dyingNode) awaitFollowed() {
	n.t.Helper()
	eventually(n.t, "the kernel tells of the node", func() error { return n.shows("fodc_node_process_signals_total{") })
}

// kill sends the node a signal, and returns who has sent it, and when.
func (n *dyingNode) kill(signal string) (sender string, at time.Time) {
	shell := exec.CommandContext(n.t.Context(), "/bin/sh", "-c", fmt.Sprintf("kill -%s %d; :", signal, n.cmd.Process.Pid))
	at = time.Now()
	require.NoError(n.t, shell.Run())
	return fmt.Sprintf("sh (%d)", shell.Process.Pid), at
}

func (n *dyingNode) control(order string) (sender string, at time.Time) {
	at = time.Now()
	resp, err := http.Get("http://" + n.settings.Metrics + "/control?" + order)
	if err == nil {
		_ = resp.Body.Close()
	}
	return "", at
}

// awaitIncident waits until an incident has an alert with the sentence.
func (n *dyingNode) awaitIncident(sentence string) (found messages.Incident, alert messages.IncidentAlert) {
	n.t.Helper()
	eventually(n.t, sentence, func() error {
		all, err := incidentsAt(n.agent.addr("agent"))
		if err != nil {
			return err
		}
		var others []string
		for _, i := range all {
			for _, a := range i.Rules {
				if a.Summary == sentence {
					found, alert = i, a
					return nil
				}
				others = append(others, a.Summary)
			}
		}
		return fmt.Errorf("%q", others)
	})
	return found, alert
}

var nodeDeaths = []struct {
	name, order string // a signal of a shell, or what the node is told
	// events are the texts of the incident's timeline, sentence is that of the rule. SENDER stands for who has sent the signal.
	rule, sentence, metric string
	events                 []string
}{
	{"Kill", "KILL", "ProcessEnded", "The node's process (node, PID) was ended by SIGKILL of SENDER.", `exits_total{code="SIGKILL",reason="signal"`,
		[]string{"the node's process was sent SIGKILL by SENDER", "the node's process has ended: ended by SIGKILL"}},
	{"Term", "TERM", "ProcessEnded", "The node's process (node, PID) was ended by SIGTERM of SENDER.", `exits_total{code="SIGTERM",reason="signal"`,
		[]string{"the node's process was sent SIGTERM by SENDER", "the node's process has ended: ended by SIGTERM"}},
	{"Panic", "QUIT", "ProcessEnded", "The node's process (node, PID) has exited with code 2, after SIGQUIT by SENDER.", `exits_total{code="2",reason="exit"`,
		[]string{"the node's process was sent SIGQUIT by SENDER", "the node's process has ended: exit code 2"}},
	{"Exit2", "exit=2", "ProcessEnded", "The node's process (node, PID) has exited with code 2.", `exits_total{code="2",reason="exit"`,
		[]string{"the node's process has ended: exit code 2"}},
	{"FaultOfAThread", "fault=1", "ProcessEnded", "The node's process (node, PID) was ended by SIGSEGV, a fault of its own.", `exits_total{code="SIGSEGV",reason="signal"`,
		[]string{"the node's process was sent SIGSEGV by the kernel", "the node's process has ended: ended by SIGSEGV"}},
	{"MemoryKill", "grow=300000000&until=1000000000", "MemoryKill", "The kernel has killed the node's process (node, PID) for lack of memory.", `fodc_kernel_oom_kills_total{victim="node"`,
		[]string{"the kernel was short of memory: memory kill of node (PID), which is the node", "the node's process was sent SIGKILL by the kernel",
			"the node's process has ended: ended by SIGKILL"}},
}

// TestE2EDeathsOfTheNode: an agent says within one scrape who has ended its node, and how.
func TestE2EDeathsOfTheNode(t *testing.T) {
	t.Parallel()
	requireKernelTelemetry(t)
	for _, of := range nodeDeaths {
		t.Run(of.name, func(t *testing.T) {
			t.Parallel()
			var by []string
			if of.name == "MemoryKill" {
				hostsKernel.ends(t)
				if by, _ = inMemoryLimit(t, 96<<20); by == nil {
					cannotHere(t, "no control group can be made")
				}
			}
			n := startDyingNode(t, by, nil)
			n.awaitFollowed()
			send := n.kill
			if strings.Contains(of.order, "=") {
				send = n.control
			}
			sender, at := send(of.order)
			filled := strings.NewReplacer("PID", fmt.Sprint(n.cmd.Process.Pid), "SENDER", sender)
			incident, alert := n.awaitIncident(filled.Replace(of.sentence))
			known := time.Since(at)
			require.Equal(t, of.rule, alert.Rule)
			texts := map[string]time.Time{}
			for _, e := range incident.Timeline {
				texts[e.Text] = e.At
			}
			for _, text := range of.events {
				require.Contains(t, texts, filled.Replace(text))
			}
			ended := texts[of.events[len(of.events)-1]]
			t.Logf("ended %s after the order, known %s after it", ended.Sub(at).Round(time.Millisecond), known.Round(time.Millisecond))
			require.WithinRange(t, ended, at.Truncate(time.Millisecond), at.Add(known), "on the clock of this machine")
			eventually(t, "the metric", func() error { return n.showsCount(of.metric) })
		})
	}
}

// showsCount returns an error unless a counter of the agent, by the begin of its series, is 1.
func (n *dyingNode) showsCount(series string) error {
	_, body, _, err := get(n.agent.addr("agent"), "/metrics")
	if err != nil {
		return err
	}
	for line := range strings.Lines(body) {
		if strings.Contains(line, series) && strings.HasSuffix(line, " 1\n") {
			return nil
		}
	}
	return fmt.Errorf("no series %s is 1", series)
}

// An agent that may do nothing in the kernel tells how its node has ended all the same, and says once what it lacks.
func TestE2EDeathWithoutPrivileges(t *testing.T) {
	t.Parallel()
	requireExits(t)
	for _, dir := range []string{filepath.Dir(binary), filepath.Dir(t.TempDir())} { // They are of who runs the test alone.
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	nobody := []string{"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"}
	n := startDyingNode(t, nil, nobody)
	n.kill("KILL")
	n.awaitIncident(fmt.Sprintf("The node's process (node, %d) was ended by SIGKILL.", n.cmd.Process.Pid))
	var said []string
	for line := range strings.Lines(n.agent.log()) {
		if strings.Contains(line, "kernel telemetry") || strings.Contains(line, "who sends signals") {
			said = append(said, line)
		}
	}
	require.Len(t, said, 1, "one line")
	require.Contains(t, said[0], "CAP_BPF and CAP_PERFMON")

	required := startCommand(t, append(nobody, append([]string{binary}, agentArgs("127.0.0.1:1", "data-0", "datanode-hot", "http://127.0.0.1:1/metrics",
		"--host-telemetry=true", "--kernel-telemetry=required")...)...)...)
	code, _ := required.exitCode(patience)
	require.Equal(t, 1, code)
	require.Contains(t, required.log(), "--kernel-telemetry=required: the agent needs the capabilities CAP_BPF and CAP_PERFMON (systemd: AmbientCapabilities=CAP_BPF CAP_PERFMON)")
}

// However an agent ends, nothing of it stays in the kernel.
func TestE2EAgentLeavesNothingInTheKernel(t *testing.T) {
	t.Parallel()
	requireKernelTelemetry(t)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			n := startDyingNode(t, nil, nil)
			n.awaitFollowed()
			programs := programsOf(t, n.agent.cmd.Process.Pid)
			require.GreaterOrEqual(t, len(programs), 18)
			require.Equal(t, len(programs), programsLeft(programs))
			n.agent.kill(signal)
			code, _ := n.agent.exitCode(patience)
			require.Equal(t, endings[signal], code)
			eventually(t, "the programs are gone", func() error {
				if left := programsLeft(programs); left > 0 {
					return fmt.Errorf("%d are there", left)
				}
				return nil
			})
		})
	}
}
