package journalbench

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// patience bounds the wait for a process.
const patience = 15 * time.Second

// binary builds the program, and returns its path.
func binary(b *testing.B) string {
	path := filepath.Join(b.TempDir(), "fodc")
	out, err := exec.Command("go", "build", "-o", path, "fodc").CombinedOutput()
	require.NoError(b, err, string(out))
	return path
}

// agent is an agent as a process.
type agent struct {
	b    *testing.B
	cmd  *exec.Cmd
	addr string // of its HTTP server
}

// startAgent runs an agent that no proxy asks, until the end of the benchmark.
func startAgent(b *testing.B, program, endpoint string, more ...string) *agent {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	addr := l.Addr().String()
	require.NoError(b, l.Close())
	a := &agent{b: b, addr: addr, cmd: exec.Command(program, append([]string{"agent", "--proxy-addr", "127.0.0.1:1", "--node-id", "n1",
		"--node-role", "liaison", "--metrics-endpoint", endpoint, "--prometheus-listen-addr", addr, "--host-telemetry=false",
		"--log-level", "error"}, more...)...)}
	a.cmd.Stderr = os.Stderr
	require.NoError(b, a.cmd.Start())
	b.Cleanup(func() {
		_ = a.cmd.Process.Kill()
		_ = a.cmd.Wait()
	})
	require.Eventually(b, func() bool { _, err := a.recorded(); return err == nil }, patience, 5*time.Millisecond)
	return a
}

// recorded returns how many samples the agent has recorded.
func (a *agent) recorded() (float64, error) {
	answer, err := http.Get("http://" + a.addr + "/health")
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var health struct {
		Window struct {
			Recorded float64 `json:"recorded_samples"`
		} `json:"window"`
	}
	err = json.NewDecoder(answer.Body).Decode(&health)
	return health.Window.Recorded, err
}

// cpu is the processor time that the process has used.
func (a *agent) cpu() time.Duration {
	const clockOfProcess = 2 // CPUCLOCK_SCHED, of linux/posix-timers.h
	var now unix.Timespec
	require.NoError(a.b, unix.ClockGettime(int32(^a.cmd.Process.Pid<<3|clockOfProcess), &now))
	return time.Duration(now.Nano())
}

// anonymous is the resident memory of the process that is not of files, in MB.
func (a *agent) anonymous() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", a.cmd.Process.Pid))
	require.NoError(a.b, err)
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "RssAnon:" {
			kib, err := strconv.Atoi(f[1])
			require.NoError(a.b, err)
			return float64(kib) * 1024 / 1e6
		}
	}
	require.Fail(a.b, "no RssAnon")
	return 0
}
