//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// ownNetwork gives a process a network namespace, which is gone with the process.
func ownNetwork(c *exec.Cmd) { c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNET }

// ip does things in the network namespace of a process.
func ip(t *testing.T, pid int, commands ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "nsenter", "-t", fmt.Sprint(pid), "-n", "ip", "-batch", "-")
	c.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%v: %s", commands, out)
}

// others are addresses of the other node.
var others = []string{"10.77.1.1/16", "10.77.1.2/16", "10.77.1.3/16", "fd77::2/64 nodad"}

func addresses(of []string, device string) (commands []string) {
	for _, a := range of {
		commands = append(commands, "addr add "+a+" dev "+device)
	}
	return commands
}

// startTwo starts two nodes in network namespaces of their own, and connects these. Both ends have the same hardware address and ask for
// none, so that what is sent to an address that the other one has not is lost, without a word.
func startTwo(t *testing.T) (n, other *testNode) {
	t.Helper()
	n, other = startNode(t, ownNetwork), startNode(t, ownNetwork)
	const address = "address 02:00:00:00:00:01"
	run(t, "ip", strings.Fields(fmt.Sprintf("link add n0 netns %d %s type veth peer name o0 netns %d %[2]s", n.pid(), address, other.pid()))...)
	ip(t, n.pid(), append(addresses([]string{"10.77.0.1/16", "fd77::1/64 nodad"}, "n0"), "link set lo up", "link set n0 arp off up")...)
	ip(t, other.pid(), append(addresses(others, "o0"), "link set lo up", "link set o0 arp off up")...)
	for _, a := range []string{"10.77.1.1", "[fd77::2]"} { // What is sent first may be lost.
		require.Zero(t, n.do(t, "dial %s:1 1 10000", a))
	}
	return n, other
}

// snmp is one of the kernel's own counters of TCP in the network namespace of a process.
func snmp(t *testing.T, pid int, name string) int {
	t.Helper()
	var names []string
	for line := range strings.Lines(readFile(t, fmt.Sprintf("/proc/%d/net/snmp", pid))) {
		f := strings.Fields(line)
		if f[0] != "Tcp:" {
			continue
		}
		for i := range names {
			if names[i] == name {
				return numberOf(f[i])
			}
		}
		names = f
	}
	require.Fail(t, "no such counter", name)
	return 0
}

func (n *testNode) eventually(t *testing.T, want int64, order string, args ...any) {
	t.Helper()
	require.Eventually(t, func() bool { return n.do(t, order, args...) >= want }, patience, 5*time.Millisecond, order)
	require.Equal(t, want, n.do(t, order, args...), order)
}

// The kernel's own count of the resets that a namespace has sent says how many there must be.
func TestE2EResets(t *testing.T) {
	tr := startTracer(t)
	n, other := startTwo(t)
	require.NoError(t, tr.Follow(n.pid()))
	port, back := other.do(t, "listen 0"), n.do(t, "listen 0")
	from := snmp(t, n.pid(), "OutRsts")
	other.do(t, "dial 127.0.0.1:1 9 10000") // In another namespace.
	outside := startNode(t)
	outside.do(t, "dial 127.0.0.1:1 9 10000")
	outside.do(t, "dial 10.77.1.1:1 1 1")
	otherFrom := snmp(t, other.pid(), "OutRsts")

	require.Zero(t, n.do(t, "dial 10.77.1.1:1 3 10000")) // Refused.
	require.Zero(t, n.do(t, "dial [fd77::2]:1 2 10000"))
	require.EqualValues(t, 4, n.do(t, "dial 10.77.1.2:%d 4 10000", port))
	require.EqualValues(t, 4, n.do(t, "reset"))
	other.eventually(t, 4, "ended")
	require.EqualValues(t, 4, other.do(t, "reset")) // What is closed already sends nothing.
	require.EqualValues(t, 5, n.do(t, "dial 10.77.1.3:%d 5 10000", port))
	require.EqualValues(t, 1, n.do(t, "dial [fd77::2]:%d 1 10000", port))
	other.takes(t, 6)
	require.EqualValues(t, 6, other.do(t, "reset"))
	n.eventually(t, 6, "ended")
	require.EqualValues(t, 6, n.do(t, "reset"))
	require.Equal(t, []peerCounts{{"10.77.1.1", 0, 3, 0}, {"10.77.1.2", 0, 0, 4}, {"10.77.1.3", 0, 5, 0}, {"fd77::2", 0, 3, 0}}, countsOf(t, tr).Peers)
	require.Equal(t, 3+5+3, snmp(t, other.pid(), "OutRsts")-otherFrom)
	require.Equal(t, 4, snmp(t, n.pid(), "OutRsts")-from)

	require.Zero(t, other.do(t, "dial 10.77.0.1:1 7 10000")) // That is no connection, and its reset is sent by no socket.
	require.EqualValues(t, 8, other.do(t, "dial 10.77.0.1:%d 8 10000", back))
	n.takes(t, 8)
	require.EqualValues(t, 8, n.do(t, "reset"))
	other.eventually(t, 4+8, "ended")
	require.EqualValues(t, 8, other.do(t, "reset"))
	require.Equal(t, peerCounts{"10.77.1.1", 0, 3, 8}, countsOf(t, tr).Peers[0])
	require.Equal(t, 4+7+8, snmp(t, n.pid(), "OutRsts")-from)
}

// takes waits until a node has so many connections.
func (n *testNode) takes(t *testing.T, connections int64) {
	t.Helper()
	n.eventually(t, connections, "send 0")
}

// The network is that of the process that is followed, though others go on that were before.
func TestE2ENetworkOfTheNode(t *testing.T) {
	tr := startTracer(t)
	nodes := []*testNode{startNode(t, ownNetwork), startNode(t, ownNetwork), startNode(t, ownNetwork)}
	for _, n := range nodes {
		ip(t, n.pid(), "link set lo up")
	}
	want := 0
	for i, of := range []int{0, 2, 0, 1, 2, 1, 0} {
		require.NoError(t, tr.Follow(nodes[of].pid()))
		for j, n := range nodes {
			n.do(t, "dial 127.77.0.1:1 %d 10000", 1+i+3*j)
		}
		want += 1 + i + 3*of
		require.Equal(t, []peerCounts{{"127.77.0.1", 0, uint64(want), 0}}, countsOf(t, tr).Peers, "turn %d", i)
	}
}

// An agent may not look at the files of another user's process. The kernel's programs know its network all the same.
func TestE2ENetworkOfAnotherUsersNode(t *testing.T) {
	startTracer(t)
	n := startNode(t, ownNetwork)
	ip(t, n.pid(), "link set lo up")
	agent := startNode(t, func(c *exec.Cmd) {
		c.Env, c.Dir = append(c.Env, helperVariable+"=peers"), "/"
		c.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		c.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_BPF, unix.CAP_PERFMON}
	})
	require.Zero(t, agent.do(t, "%d", n.pid()))
	n.do(t, "dial 127.77.0.1:1 3 10000")
	require.EqualValues(t, 3, agent.do(t, "resets"))
}

// A node that was started anew answers what was sent to the connections of the one before. The socket that does listens to all others.
func TestE2EResetsOfConnectionsOfBefore(t *testing.T) {
	tr := startTracer(t)
	n, other := startTwo(t)
	require.NoError(t, tr.Follow(n.pid()))
	port := n.do(t, "listen 0")
	require.EqualValues(t, 5, other.do(t, "dial 10.77.0.1:%d 5 10000", port))
	require.EqualValues(t, 2, other.do(t, "dial [fd77::1]:%d 2 10000", port))
	n.takes(t, 7)
	require.EqualValues(t, 7, n.do(t, "forget"))
	other.do(t, "send 1")
	other.eventually(t, 7, "ended")
	require.Equal(t, 7, snmp(t, n.pid(), "OutRsts"))
	require.Equal(t, []peerCounts{{otherPeerLabel, 0, 0, 7}}, countsOf(t, tr).Peers)
}

// Of more than 32 peers the others are counted together.
func TestE2EManyPeers(t *testing.T) {
	const peers = 45
	tr := startTracer(t)
	n := startNode(t, ownNetwork)
	ip(t, n.pid(), "link set lo up")
	require.NoError(t, tr.Follow(n.pid()))
	for range 2 {
		for i := range peers {
			require.Zero(t, n.do(t, "dial 127.0.1.%d:1 %d 10000", i, i%3+1))
		}
	}
	got := map[string]uint64{}
	sum := uint64(0)
	for _, p := range countsOf(t, tr).Peers {
		got[p.Address] = p.ResetsReceived
		sum += p.ResetsReceived
	}
	require.Len(t, got, 33)
	want := map[string]uint64{}
	for i := range peers {
		name := otherPeerLabel
		if i < 32 {
			name = fmt.Sprintf("127.0.1.%d", i)
		}
		want[name] += 2 * uint64(i%3+1)
	}
	require.Equal(t, want, got)
	require.EqualValues(t, snmp(t, n.pid(), "OutRsts"), sum)
}
