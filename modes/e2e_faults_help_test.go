//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// slack is added to time limits for a machine under load.
const slack = time.Second

// noEndpoint is where nothing listens.
const noEndpoint = "http://127.0.0.1:1/metrics"

// fixedPorts are those that tests have got.
var fixedPorts sync.Map

// fixedPort returns a port that is free, and that neither another test nor an outgoing
// connection gets while its server is away.
func fixedPort(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000))
		if _, given := fixedPorts.LoadOrStore(addr, true); given {
			continue
		}
		if isFree(t, addr) {
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

// isFree reports whether nobody listens at the address. No process is started meanwhile: until that executes its program,
// it would have the listener, too, and keep it after this one has closed it.
func isFree(t *testing.T, addr string) bool {
	t.Helper()
	syscall.ForkLock.Lock()
	defer syscall.ForkLock.Unlock()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	require.NoError(t, l.Close())
	return true
}

// listenAt listens at a fixed port of which a listener may just have been closed: a process that is being started may have
// that one for a moment, see isFree.
func listenAt(t *testing.T, addr string) (l net.Listener) {
	t.Helper()
	eventually(t, "listener at "+addr, func() (err error) {
		l, err = net.Listen("tcp", addr)
		return err
	})
	return l
}

func startProxyAt(t *testing.T, grpcAddr string, more ...string) *process {
	return start(t, append([]string{"proxy", "--grpc-listen-addr", grpcAddr, "--http-listen-addr", "127.0.0.1:0"}, more...)...)
}

// said returns the entries of the log with this message.
func (p *process) said(msg string) []map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []map[string]any
	for _, l := range p.lines {
		if l["msg"] == msg {
			found = append(found, l)
		}
	}
	return found
}

// awaitSaid waits until the log has the message n times.
func awaitSaid(t *testing.T, p *process, n int, msg string) {
	t.Helper()
	eventually(t, "log", func() error {
		if got := len(p.said(msg)); got < n {
			return fmt.Errorf("%q: %d times, want %d", msg, got, n)
		}
		return nil
	})
}

// at returns the time of an entry of the log.
func at(t *testing.T, entry map[string]any) time.Time {
	t.Helper()
	when, err := time.Parse("2006-01-02T15:04:05.000Z0700", entry["time"].(string))
	require.NoError(t, err)
	return when
}

// nodeState is a node as /cluster has it.
type nodeState struct {
	NodeID        string    `json:"node_id"`
	Status        string    `json:"status"`
	AgentID       string    `json:"agent_id"`
	LastHeartbeat time.Time `json:"last_heartbeat"`
	LastError     string    `json:"last_error"`
	Verified      bool      `json:"verified"`
}

// cluster returns the nodes as /cluster has them, and when.
func cluster(t *testing.T, proxy *process) (nodes []nodeState, updated time.Time) {
	t.Helper()
	var answer struct {
		Nodes     []nodeState `json:"nodes"`
		UpdatedAt time.Time   `json:"updated_at"`
	}
	require.NoError(t, json.Unmarshal([]byte(page(t, proxy.addr("http"), "/cluster")), &answer))
	return answer.Nodes, answer.UpdatedAt
}

// awaitStatus waits until the node has the status, and returns how long it took.
func awaitStatus(t *testing.T, proxy *process, limit time.Duration, id, status string) time.Duration {
	t.Helper()
	return within(t, limit, id+" "+status, func() error {
		if got := statuses(t, proxy)[id]; got != status {
			return fmt.Errorf("it is %q", got)
		}
		return nil
	})
}

// actorsOf counts the actors of a kind; of all kinds if it is empty.
func actorsOf(t *testing.T, p *process, server, kind string) int {
	t.Helper()
	var tree messages.ActorTree
	require.NoError(t, json.Unmarshal([]byte(page(t, p.addr(server), "/debug/actors?format=json")), &tree))
	return countActors(tree.Actors, kind)
}

func countActors(nodes []messages.ActorNode, kind string) int {
	n := 0
	for i := range nodes {
		if kind == "" || nodes[i].Kind == kind {
			n++
		}
		n += countActors(nodes[i].Children, kind)
	}
	return n
}

// usage is what a process takes of the machine.
type usage struct{ fds, threads, residentKiB int }

func (u usage) String() string {
	return fmt.Sprintf("%d file descriptors, %d threads, %d KiB resident", u.fds, u.threads, u.residentKiB)
}

func usageOf(t *testing.T, p *process) usage {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	fds, err := os.ReadDir(dir + "fd")
	require.NoError(t, err)
	status, err := os.ReadFile(dir + "status")
	require.NoError(t, err)
	u := usage{fds: len(fds)}
	for line := range strings.SplitSeq(string(status), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		switch fields[0] {
		case "Threads:":
			u.threads, err = strconv.Atoi(fields[1])
		case "VmRSS:":
			u.residentKiB, err = strconv.Atoi(fields[1])
		}
		require.NoError(t, err, line)
	}
	return u
}

// reading returns the value of a metric without labels of an agent's own page, such
// as fodc_agent_go_goroutines.
func reading(t *testing.T, agent *process, name string) float64 {
	t.Helper()
	var value float64
	eventually(t, name, func() error {
		for line := range strings.SplitSeq(page(t, agent.addr("agent"), "/metrics"), "\n") {
			if text, ok := strings.CutPrefix(line, name+" "); ok {
				v, err := strconv.ParseFloat(text, 64)
				value = v
				return err
			}
		}
		return fmt.Errorf("not on the page")
	})
	return value
}
