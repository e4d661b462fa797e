//go:build bench && linux

package proxybench

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The floor is this program again, told so by the environment.
const (
	floorVariable  = "FODC_BENCH_FLOOR" // its addresses for gRPC and HTTP, a comma between
	binaryVariable = "FODC_BENCH_BINARY"
)

func TestMain(m *testing.M) {
	if at := os.Getenv(floorVariable); at != "" {
		grpcAddr, httpAddr, _ := strings.Cut(at, ",")
		fmt.Fprintln(os.Stderr, runFloor(grpcAddr, httpAddr))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// process is a proxy, or the floor.
type process struct {
	t                  *testing.T
	cmd                *exec.Cmd
	grpcAddr, httpAddr string
	ended              chan struct{} // closed when the process is gone
	agents             *tls.Config   // how agents connect; nil: without encryption
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func startProxy(t *testing.T) *process {
	return start(t, func(grpcAddr, httpAddr string) *exec.Cmd { return proxyCommand(grpcAddr, httpAddr) })
}

func proxyCommand(grpcAddr, httpAddr string, more ...string) *exec.Cmd {
	return exec.Command(os.Getenv(binaryVariable), append([]string{"proxy", "--grpc-listen-addr", grpcAddr, "--http-listen-addr", httpAddr,
		"--max-agents", "4000", "--log-level", "error", "--grpc-max-msg-size", strconv.Itoa(maxMessage),
		"--collect-timeout", "50s", "--http-write-timeout", "60s"}, more...)...)
}

func startFloor(t *testing.T) *process {
	return start(t, func(grpcAddr, httpAddr string) *exec.Cmd {
		floor := exec.Command(os.Args[0])
		floor.Env = append(os.Environ(), floorVariable+"="+grpcAddr+","+httpAddr)
		return floor
	})
}

// attempts is how often a process is started that ends at once, as one does whose port
// was free and is taken now.
const attempts = 5

func start(t *testing.T, command func(grpcAddr, httpAddr string) *exec.Cmd) *process {
	for range attempts {
		p := &process{t: t, grpcAddr: freeAddress(t), httpAddr: freeAddress(t), ended: make(chan struct{})}
		p.cmd = command(p.grpcAddr, p.httpAddr)
		p.cmd.Stderr = os.Stderr
		require.NoError(t, p.cmd.Start())
		go func() {
			_ = p.cmd.Wait()
			close(p.ended)
		}()
		if p.comesUp() {
			return p
		}
		p.stop()
	}
	require.Fail(t, "no process comes up")
	return nil
}

// comesUp waits until the process serves, and returns false if it has ended.
func (p *process) comesUp() bool {
	up := false
	require.Eventually(p.t, func() bool {
		select {
		case <-p.ended:
			return true
		default:
		}
		status, _ := p.get("/health")
		up = status == http.StatusOK
		return up
	}, patience, time.Millisecond)
	return up
}

// get returns the status and the page of a path, 0 where nobody answers.
func (p *process) get(path string) (int, string) {
	r, err := http.Get("http://" + p.httpAddr + path)
	if err != nil {
		return 0, ""
	}
	defer r.Body.Close()
	page, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, ""
	}
	return r.StatusCode, string(page)
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// cpu is the processor time that the process has used, to the nanosecond: /proc counts
// hundredths of a second, of which a scrape takes one.
func (p *process) cpu() time.Duration {
	const clockOfProcess = 2 // CPUCLOCK_SCHED, of linux/posix-timers.h
	var now unix.Timespec
	require.NoError(p.t, unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|clockOfProcess), &now))
	return time.Duration(now.Nano())
}

// memory is a size from the process's status, in bytes: VmRSS or VmHWM, its peak.
func (p *process) memory(name string) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	require.NoError(p.t, err)
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name+":" {
			n, err := strconv.Atoi(f[1])
			require.NoError(p.t, err)
			return float64(n) * 1024
		}
	}
	require.Fail(p.t, "no "+name)
	return 0
}
