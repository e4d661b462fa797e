//go:build e2e && linux

package modes_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// What a flood of a stranger may cost.
const (
	strangersGrowth = 256 << 10 // KiB of resident memory
	strangersGone   = 30 * time.Second
)

// besieged is a proxy with fifty agents, which are asked at once and then each second, while strangers do what they like.
type besieged struct {
	*testing.T
	proxy              *process
	grpcAddr, httpAddr string
	stop               chan struct{}
	asking             sync.WaitGroup
	wrong              string // the last page that lacked something
	pages              int
}

// besiege starts a proxy with these flags, whose agents connect as more says.
func besiege(t *testing.T, flags []string, more ...grpc.DialOption) *besieged {
	t.Helper()
	proxy := startProxy(t, flags...)
	b := &besieged{T: t, proxy: proxy, grpcAddr: proxy.addr("grpc"), httpAddr: proxy.addr("http"), stop: make(chan struct{})}
	playSteadyAgents(t, b.grpcAddr, floodSteady, more...)
	b.asking.Go(func() {
		for tick := time.NewTicker(time.Second); ; {
			_, body, _, err := get(b.httpAddr, "/metrics")
			if got := strings.Count(body, "\nsteady{"); err != nil || got != floodSteady*loadSeries {
				b.wrong = fmt.Sprintf("page %d: %d samples, %v", b.pages, got, err)
			}
			b.pages++
			select {
			case <-b.stop:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	})
	return b
}

// attack opens so many connections, lets each do what it does, and waits until the proxy has closed them all. Each
// is told its number.
func (b *besieged) attack(name, addr string, n int, do func(c net.Conn, number int)) {
	b.Helper()
	before, begin := usageOf(b.T, b.proxy).residentKiB, time.Now()
	var attacked time.Duration
	peak := peakOf(b.T, b.proxy, func() {
		left := rawStrangers(b.T, addr, n, do)
		attacked = time.Since(begin)
		b.gone(name, left)
	})
	b.Logf("%s: %d connections in %s, gone after %s; resident memory %d MiB before, %d MiB at most", name, n, attacked.Round(time.Millisecond),
		time.Since(begin).Round(time.Millisecond), before>>10, peak>>10)
	require.Less(b, peak-before, strangersGrowth, name)
}

// gone waits until the proxy has closed the connections.
func (b *besieged) gone(name string, left *atomic.Int64) {
	b.Helper()
	within(b.T, strangersGone+patience, name+" are gone", func() error {
		if l := left.Load(); l > 0 {
			return fmt.Errorf("%d connections are open", l)
		}
		return nil
	})
}

// held requires that no page has lacked anything, and that all agents still have their first sessions.
func (b *besieged) held() {
	b.Helper()
	close(b.stop)
	b.asking.Wait()
	require.Empty(b, b.wrong)
	require.Positive(b, b.pages)
	for id, status := range statuses(b.T, b.proxy) {
		require.True(b, status == "online" || !strings.HasPrefix(id, "steady"), id)
	}
	for _, l := range b.proxy.said("agent is unconnected: its session ended") {
		require.NotContains(b, l["node_id"], "steady")
	}
	for line := range strings.Lines(page(b.T, b.httpAddr, "/metrics/self")) {
		if strings.Contains(line, "_closed_total{") || strings.Contains(line, "_refused_total{") && !strings.HasSuffix(line, " 0\n") {
			b.Log(strings.TrimSpace(line))
		}
	}
}

// rawStrangers opens so many connections from 127.0.0.66, lets each do what it does, and returns how many the
// proxy has not closed yet.
func rawStrangers(t *testing.T, addr string, n int, do func(c net.Conn, number int)) *atomic.Int64 {
	t.Helper()
	var left atomic.Int64
	var opened sync.WaitGroup
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.66")}}
	for i := range n {
		c, err := dialer.DialContext(t.Context(), "tcp", addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		left.Add(1)
		go func() {
			_, _ = io.Copy(io.Discard, c)
			left.Add(-1)
		}()
		opened.Go(func() { do(c, i) })
	}
	opened.Wait()
	return &left
}

// peakOf calls f, and returns the highest resident memory of the process meanwhile, in KiB.
func peakOf(t *testing.T, p *process, f func()) (peak int) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	require.NoError(t, os.WriteFile(dir+"clear_refs", []byte("5"), 0))
	f()
	status, err := os.ReadFile(dir + "status")
	require.NoError(t, err)
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscan(line, &peak)
	require.NoError(t, err)
	return peak
}
