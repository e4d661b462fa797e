//go:build e2e && linux

package modes_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestE2EDocsGettingStarted does what docs/getting-started.md says, from the first start to the file of an incident.
func TestE2EDocsGettingStarted(t *testing.T) {
	t.Parallel()
	newDocPlayer(t, fixedPort(t), fixedPort(t), fixedPort(t)).play("getting-started.md")
}

// TestE2EDocsPages runs the commands of documents about a cluster that runs: operations.md and upgrade.md when all is well, and then
// troubleshooting.md with a node whose agent is lost.
func TestE2EDocsPages(t *testing.T) {
	t.Parallel()
	grpcAddr, httpAddr, agentAddr := fixedPort(t), fixedPort(t), fixedPort(t)
	storage := filepath.Join(t.TempDir(), "storage")
	proxy := start(t, "proxy", "--grpc-listen-addr", grpcAddr, "--http-listen-addr", httpAddr)
	proxy.addr("http")
	agent := func(id, addr string, more ...string) *process {
		a := start(t, append([]string{"agent", "--node-id", id, "--node-role", "datanode-hot", "--proxy-addr", grpcAddr, "--prometheus-listen-addr", addr}, more...)...)
		a.addr("agent")
		return a
	}
	agent("data-0", agentAddr, "--storage-dir", storage)
	page := func(name string) {
		p := newDocPlayer(t, grpcAddr, httpAddr, agentAddr)
		host, _ := os.Hostname()
		p.into = strings.NewReplacer("/var/lib/fodc-agent", storage, "127.0.0.1:17900", grpcAddr, "17900", portOf(grpcAddr), "17901", portOf(httpAddr), "17902", portOf(agentAddr))
		p.back = strings.NewReplacer(storage, "/var/lib/fodc-agent", host, "vm", `"`+grpcAddr+`\"`, `":17900\"`, "tcp "+grpcAddr, "tcp :17900")
		p.play(name)
	}
	page("operations.md")
	page("upgrade.md")
	lost := agent("data-1", fixedPort(t), "--host-telemetry=false")
	awaitStatuses(t, proxy, "data-0", "online", "data-1", "online")
	lost.kill(syscall.SIGKILL)
	page("troubleshooting.md")
}
