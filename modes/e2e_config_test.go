//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fodc/actors/agent/mask/masktest"

	"github.com/stretchr/testify/require"
)

// configHeartbeat is the interval of the tests' agents.
const configHeartbeat = 2 * time.Second

// The secrets of a node: on its command line, in its environment, in its file.
var nodeSecrets = []string{"s3cr3t-line", "s3cr3t-url", "s3cr3t-env", "s3cr3t-file"}

// nodeProcess is a process that looks like a database node.
type nodeProcess struct {
	cmd     *exec.Cmd
	pidFile string
}

// startNodeProcess starts a shell that waits until it is killed, and that is called
// banyand by its command line, which ends in the arguments.
func startNodeProcess(t *testing.T, files []*os.File, environ []string, args ...string) *nodeProcess {
	t.Helper()
	shell, err := exec.LookPath("sh")
	require.NoError(t, err)
	pipe := filepath.Join(t.TempDir(), "pipe") // nobody writes into it
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	n := &nodeProcess{pidFile: filepath.Join(t.TempDir(), "pid"), cmd: &exec.Cmd{Path: shell,
		Args: append([]string{"banyand", "-c", "read -r line < " + pipe, "banyand"}, args...), Env: environ, ExtraFiles: files}}
	require.NoError(t, n.cmd.Start())
	t.Cleanup(func() { n.kill() })
	require.NoError(t, os.WriteFile(n.pidFile, []byte(strconv.Itoa(n.cmd.Process.Pid)+"\n"), 0o600))
	return n
}

func (n *nodeProcess) kill() {
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait()
}

// nodeConfig is a node as /cluster/config has it.
type nodeConfig struct {
	NodeID  string         `json:"node_id"`
	Status  string         `json:"status"`
	Startup map[string]any `json:"startup_params"`
	Runtime map[string]any `json:"runtime_config"`
	Sources []string       `json:"sources"`
	Errors  []string       `json:"errors"`
}

func configOf(proxy *process, id string) (nodeConfig, error) {
	_, body, _, err := get(proxy.addr("http"), "/cluster/config?node_id="+id)
	if err != nil {
		return nodeConfig{}, err
	}
	var answer struct{ Configurations []nodeConfig }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Configurations) != 1 {
		return nodeConfig{}, fmt.Errorf("%w: %s", err, body)
	}
	return answer.Configurations[0], nil
}

func awaitConfig(t *testing.T, limit time.Duration, proxy *process, id, what string, is func(nodeConfig) bool) (c nodeConfig, took time.Duration) {
	t.Helper()
	took = within(t, limit, what, func() (err error) {
		if c, err = configOf(proxy, id); err == nil && !is(c) {
			err = fmt.Errorf("%+v", c)
		}
		return err
	})
	return c, took
}

func startConfigProxy(t *testing.T) *process {
	return startProxy(t, "--heartbeat-interval", configHeartbeat.String(), "--agent-heartbeat-timeout", "5s", "--log-level", "debug")
}

// The secrets of a node's command line, environment and files do not leave its host:
// not to a page, a dump or a log.
func TestE2EConfigSecretsAreMasked(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "node.yaml")
	require.NoError(t, os.WriteFile(file, []byte("cache: {size: 1024}\nauth:\n  users:\n  - {username: admin, password: "+nodeSecrets[3]+"}\n"), 0o600))
	table := filepath.Join(t.TempDir(), "table.json")
	require.NoError(t, os.WriteFile(table, secretsAsJSON(t), 0o600))
	node := startNodeProcess(t, nil, []string{"BYDB_GRPC_PORT=17912", "BYDB_ETCD_TOKEN=" + nodeSecrets[2], "OTHER=" + nodeSecrets[2]},
		"--data-path=/data", "--etcd-password", nodeSecrets[0], "--etcd-endpoints=http://root:"+nodeSecrets[1]+"@etcd:2379", "--tls")
	proxy := startConfigProxy(t)
	agent := startAgent(t, proxy, "n1", "datanode-hot", noEndpoint, "--node-pid-file", node.pidFile, "--node-config-file", file,
		"--node-config-file", table, "--log-level", "debug")
	c, _ := awaitConfig(t, patience, proxy, "n1", "configuration", func(c nodeConfig) bool { return len(c.Startup) > 0 })
	require.Empty(t, c.Errors)
	fromTable := 0
	maps.DeleteFunc(c.Runtime, func(key string, _ any) bool {
		is := strings.HasPrefix(key, "table.")
		if is {
			fromTable++
		}
		return is
	})
	require.Equal(t, len(masktest.Secrets()), fromTable)
	require.Equal(t, "/data", c.Startup["--data-path"])
	require.Equal(t, "***", c.Startup["--etcd-password"])
	require.Equal(t, "http://root:***@etcd:2379", c.Startup["--etcd-endpoints"])
	require.Equal(t, "true", c.Startup["--tls"])
	require.Equal(t, map[string]any{"BYDB_GRPC_PORT": "17912", "BYDB_ETCD_TOKEN": "***", "cache.size": float64(1024),
		"auth.users.0.username": "admin", "auth.users.0.password": "***"}, c.Runtime)
	require.Len(t, c.Sources, 4)

	time.Sleep(2 * configHeartbeat) // heartbeats, and what they log
	seen := map[string]string{"log of the proxy": proxy.log(), "log of the agent": agent.log()}
	for _, path := range []string{"/cluster/config", "/cluster/config?diff=1", "/cluster", "/metrics", "/metrics-windows", "/metrics/self", "/health",
		"/debug/actors?format=json", "/debug/actors?format=text"} {
		seen["proxy"+path] = page(t, proxy.addr("http"), path)
	}
	for _, path := range []string{"/metrics", "/health", "/debug/actors?format=json"} {
		seen["agent"+path] = page(t, agent.addr("agent"), path)
	}
	for where, text := range seen {
		require.NotEmpty(t, text, where)
		for _, secret := range nodeSecrets {
			require.NotContains(t, text, secret, where)
		}
		for _, c := range masktest.Secrets() {
			require.Empty(t, c.LeakAmong(text), "%s: %s = %s", where, c.Key, c.Value)
		}
	}
	t.Logf("%d texts hold none of %d secrets", len(seen), len(nodeSecrets)+len(masktest.Secrets()))
}

// secretsAsJSON returns a file with all secrets of the table.
func secretsAsJSON(t *testing.T) []byte {
	t.Helper()
	var all []map[string]string
	for _, c := range masktest.Secrets() {
		all = append(all, map[string]string{c.Key: c.Value})
	}
	text, err := json.Marshal(map[string]any{"table": all})
	require.NoError(t, err)
	return text
}

// A node whose agent dies with it still shows its last configuration; an agent that
// comes back alone does not take it away.
func TestE2EConfigOutlivesTheNode(t *testing.T) {
	t.Parallel()
	node := startNodeProcess(t, nil, []string{"BYDB_A=b"}, "--data-path=/data")
	proxy := startConfigProxy(t)
	args := agentArgs(proxy.addr("grpc"), "n1", "liaison", noEndpoint, "--node-pid-file", node.pidFile)
	agent := start(t, args...)
	hasPath := func(c nodeConfig) bool { return c.Startup["--data-path"] == "/data" && c.Runtime["BYDB_A"] == "b" }
	awaitConfig(t, patience, proxy, "n1", "configuration", hasPath)
	// An agent that has done no more than register is not believed to be one.
	eventually(t, "an answer of the agent", func() error {
		status, body, _, err := get(proxy.addr("http"), "/metrics?strict=1&node_id=n1")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d: %s", status, body)
		}
		return err
	})

	agent.kill(syscall.SIGKILL)
	node.kill()
	awaitStatus(t, proxy, patience, "n1", "unconnected")
	c, err := configOf(proxy, "n1")
	require.NoError(t, err)
	require.True(t, hasPath(c), "%+v", c)
	require.Equal(t, "unconnected", c.Status)

	start(t, args...)
	awaitStatus(t, proxy, patience, "n1", "online")
	c, _ = awaitConfig(t, patience, proxy, "n1", "an error", func(c nodeConfig) bool { return len(c.Errors) > 0 })
	require.True(t, hasPath(c), "%+v", c)
	t.Logf("shown with %q", c.Errors)
}

// A node that dies beside a living agent keeps its configuration, too.
func TestE2EConfigOfADeadNode(t *testing.T) {
	t.Parallel()
	node := startNodeProcess(t, nil, nil, "--data-path=/data")
	proxy := startConfigProxy(t)
	startAgent(t, proxy, "n1", "liaison", noEndpoint, "--node-pid-file", node.pidFile)
	awaitConfig(t, patience, proxy, "n1", "configuration", func(c nodeConfig) bool { return len(c.Startup) > 0 })
	node.kill()
	c, _ := awaitConfig(t, configHeartbeat+slack, proxy, "n1", "an error", func(c nodeConfig) bool { return len(c.Errors) > 0 })
	require.Equal(t, "/data", c.Startup["--data-path"])
	require.Equal(t, "online", c.Status)
}

func TestE2EConfigChangesWithinOneHeartbeat(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "node.env")
	write := func(n int) { require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "ROUND=%d\n", n), 0o600)) }
	write(0)
	proxy := startConfigProxy(t)
	startAgent(t, proxy, "n1", "liaison", noEndpoint, "--node-config-file", file)
	var all []time.Duration
	for n := range 5 {
		write(n)
		_, took := awaitConfig(t, configHeartbeat+slack, proxy, "n1", fmt.Sprintf("change %d", n), func(c nodeConfig) bool {
			return c.Runtime["ROUND"] == strconv.Itoa(n)
		})
		all = append(all, took.Round(time.Millisecond))
	}
	t.Logf("heartbeats each %s; changes were shown after %s", configHeartbeat, all)
}

// Without a word about the process, it is who listens at the endpoint.
func TestE2EConfigOfWhoListens(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	socket, err := l.(*net.TCPListener).File()
	require.NoError(t, err)
	startNodeProcess(t, []*os.File{socket}, nil, "--data-path=/listens")
	require.NoError(t, socket.Close())
	endpoint := "http://" + l.Addr().String() + "/metrics"
	require.NoError(t, l.Close())
	proxy := startConfigProxy(t)
	startAgent(t, proxy, "n1", "liaison", endpoint)
	c, _ := awaitConfig(t, patience, proxy, "n1", "configuration", func(c nodeConfig) bool { return c.Startup["--data-path"] == "/listens" })
	require.True(t, slices.ContainsFunc(c.Sources, func(s string) bool { return strings.Contains(s, "listens at port") }), c.Sources)
}

// A node that cannot be seen as a process says itself how it was started.
func TestE2EConfigFromPprof(t *testing.T) {
	t.Parallel()
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/debug/pprof/cmdline" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("/bin/pprof-node\x00data\x00--data-path=/pprof\x00--token\x00" + nodeSecrets[0]))
	}))
	t.Cleanup(node.Close)
	proxy := startConfigProxy(t)
	startAgent(t, proxy, "n1", "liaison", node.URL+"/metrics", "--node-process", "pprof-node")
	c, _ := awaitConfig(t, patience, proxy, "n1", "configuration", func(c nodeConfig) bool { return len(c.Startup) > 0 })
	require.Equal(t, map[string]any{"command": "/bin/pprof-node data", "--data-path": "/pprof", "--token": "***"}, c.Startup)
	require.Equal(t, []string{node.URL + "/debug/pprof/cmdline"}, c.Sources)
	require.Empty(t, c.Errors)
}

// An agent that shall not read its node's configuration tells none.
func TestE2EConfigOff(t *testing.T) {
	t.Parallel()
	proxy := startConfigProxy(t)
	startAgent(t, proxy, "n1", "liaison", noEndpoint, "--collect-config=false")
	awaitStatus(t, proxy, patience, "n1", "online")
	c, err := configOf(proxy, "n1")
	require.NoError(t, err)
	require.Equal(t, []string{"the agent has sent no configuration"}, c.Errors)
}
