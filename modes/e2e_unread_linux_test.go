//go:build e2e && linux

package modes_test

import (
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// unreadClients is how many clients read nothing of what they ask for.
	unreadClients = 6
	// unreadRequests makes their answers longer than the kernel holds.
	unreadRequests = 3000
	// unreadLimit is before an idle connection is closed, after two minutes. A client is cut off
	// when one answer has waited for the write timeout, which is 30 s at an agent; on a busy machine
	// the kernel may take a few answers more, each of which waits anew.
	unreadLimit = 100 * time.Second
)

// askWithoutReading sends many requests, and reads none of the answers. cut ends when the
// server has closed the connection.
func askWithoutReading(t *testing.T, addr, path string, cut *sync.WaitGroup) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.(*net.TCPConn).SetReadBuffer(4<<10))
	request := "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\n\r\n" // Another name is refused, which is a short answer.
	cut.Go(func() {
		_, err := c.Write([]byte(strings.Repeat(request, unreadRequests)))
		for err == nil {
			time.Sleep(100 * time.Millisecond)
			_, err = c.Write([]byte(request))
		}
	})
}

// TestE2EClientsThatReadNothing: they hold up nobody else, and are cut off.
func TestE2EClientsThatReadNothing(t *testing.T) {
	t.Parallel()
	inEachMode(t, func(t *testing.T, start func(*os.File, ...string) *recorder) {
		out, log := logFile(t)
		r := start(out)
		begin := time.Now()
		var cut sync.WaitGroup
		for i := range unreadClients {
			askWithoutReading(t, r.http, []string{"/debug/actors?format=json", "/metrics"}[i%2], &cut)
		}
		allCut := make(chan struct{})
		go func() { cut.Wait(); close(allCut) }()
		for isCut := false; !isCut; {
			require.Less(t, time.Since(begin), unreadLimit, "clients that read nothing are not cut off")
			r.requireAnswers(t)
			select {
			case <-allCut:
				isCut = true
			default:
			}
		}
		t.Logf("all were cut off within %s", time.Since(begin))
		r.requireClean(t)
		require.NotContains(t, log(), `"level":"error"`)
	})
}
