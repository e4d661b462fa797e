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
)

// What a flood of a stranger may cost.
const (
	strangersGrowth = 256 << 10 // KiB of resident memory
	strangersGone   = 30 * time.Second
)

func rawFrame(kind, flags byte, stream uint32, payload []byte) []byte {
	f := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	f = append(f, byte(stream>>24), byte(stream>>16), byte(stream>>8), byte(stream))
	return append(f, payload...)
}

func rawHeaders(more ...[2]string) (b []byte) {
	for _, h := range append([][2]string{{":method", "POST"}, {":scheme", "http"}, {":path", "/banyandb.fodc.v1.FODCService/RegisterAgent"},
		{":authority", "proxy"}, {"content-type", "application/grpc"}, {"te", "trailers"}}, more...) {
		b = append(append(b, 0, byte(len(h[0]))), h[0]...)
		b = append(append(b, byte(len(h[1]))), h[1]...)
	}
	return b
}

var rawHello = append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), rawFrame(4, 0, 0, nil)...)

// rawStrangers opens so many connections from 127.0.0.66, lets each do what it does, and returns how many the
// proxy has not closed yet.
func rawStrangers(t *testing.T, addr string, n int, do func(net.Conn)) *atomic.Int64 {
	t.Helper()
	var left atomic.Int64
	var opened sync.WaitGroup
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.66")}}
	for range n {
		c, err := dialer.DialContext(t.Context(), "tcp", addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		left.Add(1)
		go func() {
			_, _ = io.Copy(io.Discard, c)
			left.Add(-1)
		}()
		opened.Go(func() { do(c) })
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

// Whatever these strangers do with connections, fifty agents are asked each second and answer, the proxy's memory is
// bounded, and the strangers are gone in time.
func TestE2EStrangerCannotFillTheMemory(t *testing.T) {
	proxy := startProxy(t)
	grpcAddr, httpAddr := proxy.addr("grpc"), proxy.addr("http")
	playSteadyAgents(t, grpcAddr, floodSteady)
	wrong, pages, stop := "", 0, make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
			}
			_, body, _, err := get(httpAddr, "/metrics")
			if got := strings.Count(body, "\nsteady{"); err != nil || got != floodSteady*loadSeries {
				wrong = fmt.Sprintf("page %d: %d samples, %v", pages, got, err)
			}
			pages++
		}
	})
	attack := func(name string, addr string, n int, do func(net.Conn)) {
		before, begin := usageOf(t, proxy).residentKiB, time.Now()
		var attacked time.Duration
		peak := peakOf(t, proxy, func() {
			left := rawStrangers(t, addr, n, do)
			attacked = time.Since(begin)
			within(t, strangersGone+patience, name+" are gone", func() error {
				if l := left.Load(); l > 0 {
					return fmt.Errorf("%d connections are open", l)
				}
				return nil
			})
		})
		t.Logf("%s: %d connections in %s, gone after %s; resident memory %d MiB before, %d MiB at most", name, n, attacked.Round(time.Millisecond),
			time.Since(begin).Round(time.Millisecond), before>>10, peak>>10)
		require.Less(t, peak-before, strangersGrowth, name)
	}
	write := func(c net.Conn, b []byte) bool { _, err := c.Write(b); return err == nil }
	attack("idle connections", grpcAddr, 5000, func(net.Conn) {})
	attack("idle HTTP connections", httpAddr, 2000, func(net.Conn) {})
	attack("rapid resets", grpcAddr, 50, func(c net.Conn) {
		write(c, rawHello)
		for id := uint32(1); id < 200_000; id += 2 {
			if !write(c, append(rawFrame(1, 4, id, rawHeaders()), rawFrame(3, 0, id, []byte{0, 0, 0, 8})...)) {
				return
			}
		}
	})
	attack("header floods", grpcAddr, 50, func(c net.Conn) {
		write(c, append(rawHello, rawFrame(1, 0, 1, rawHeaders())...))
		filler := rawHeaders([2]string{"x", strings.Repeat("y", 120)})
		for range 100_000 {
			if !write(c, rawFrame(9, 0, 1, filler)) {
				return
			}
		}
	})
	// The program has no decompressor for gRPC: the stream is refused before anything is unpacked.
	attack("compressed messages", grpcAddr, 50, func(c net.Conn) {
		write(c, append(rawHello, rawFrame(1, 4, 1, rawHeaders([2]string{"grpc-encoding", "gzip"}))...))
		part := make([]byte, 16<<10)
		copy(part, []byte{1, 0, 0x10, 0, 0})
		for range 64 {
			if !write(c, rawFrame(0, 0, 1, part)) {
				return
			}
		}
	})
	close(stop)
	asking.Wait()
	require.Empty(t, wrong)
	require.Positive(t, pages)
	for id, status := range statuses(t, proxy) {
		require.Equal(t, "online", status, id)
	}
}
