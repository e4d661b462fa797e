//go:build e2e && linux

package modes_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func actorTree(t *testing.T, proxy *process) (tree messages.ActorTree) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(page(t, proxy.addr("http"), "/debug/actors")), &tree))
	return tree
}

// TestE2ECancelledRequestEndsItsCollection: the agent hangs, so the collection would last
// until its deadline. It ends when the client disconnects.
func TestE2ECancelledRequestEndsItsCollection(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t, "--collect-timeout", "50s", "--http-write-timeout", "60s")
	agent := startAgent(t, proxy, "n1", "liaison", startNode(t, pageA).endpoint())
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`)
	agent.kill(syscall.SIGSTOP)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+proxy.addr("http")+"/metrics-windows?start_time=1&node_id=n1", nil)
	require.NoError(t, err)
	gone := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		gone <- err
	}()
	eventually(t, "the collection is under way", func() error {
		select {
		case err := <-gone:
			t.Fatalf("answered: %v", err)
		default:
		}
		if n := countActors(actorTree(t, proxy).Actors, "collect"); n != 1 {
			return fmt.Errorf("%d collections", n)
		}
		return nil
	})
	cancel()
	require.ErrorIs(t, <-gone, context.Canceled)
	took := within(t, patience, "the collection is over", func() error {
		tree := actorTree(t, proxy)
		if n := countActors(tree.Actors, "collect"); n != 0 {
			return fmt.Errorf("%d collections", n)
		}
		for _, e := range tree.Ended {
			if e.Kind == "collect" && e.Reason == "cancelled" && strings.HasPrefix(e.Subject, "window [1970-01-01T00:00:01Z, open] node_id=n1") {
				return nil
			}
		}
		return fmt.Errorf("not among those that ended: %v", tree.Ended)
	})
	t.Logf("the dump says cancelled %s after the client left", took)
	awaitPage(t, proxy, "/metrics/self", `fodc_proxy_http_requests_total{route="/metrics-windows",code="499"} 1`)
}

const (
	// slowClients is more than --max-collections.
	slowClients = 20
	// slowPage is more than the kernel buffers for a reader.
	slowPage = 8 << 20
)

// slowClient reads an answer at 1 KiB a second.
type slowClient struct {
	// begun is closed when the answer's head has come, ended has how the answer ended.
	begun chan struct{}
	ended chan error
}

func startSlowClient(t *testing.T, addr, path string) *slowClient {
	t.Helper()
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
		})
		return errors.Join(err, failed)
	}}
	conn, err := dialer.DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, addr)
	require.NoError(t, err)
	c := &slowClient{begun: make(chan struct{}), ended: make(chan error, 1)}
	go c.read(conn)
	return c
}

func (c *slowClient) read(conn net.Conn) {
	resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 1<<10), nil)
	close(c.begun)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	pace := time.NewTicker(time.Second)
	defer pace.Stop()
	for err == nil {
		<-pace.C
		_, err = io.CopyN(io.Discard, resp.Body, 1<<10)
	}
	c.ended <- err
}

// TestE2ESlowClientsCostNobodyAnything: more clients than --max-collections read a large page
// slowly, and other clients get complete answers meanwhile.
func TestE2ESlowClientsCostNobodyAnything(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t, "--http-write-timeout", "20s")
	large := strings.Builder{}
	large.WriteString("# TYPE large gauge\n")
	for i := range 2000 {
		fmt.Fprintf(&large, "large{series=%q} %d.5\n", strings.Repeat("x", 20)+fmt.Sprint(i), i)
	}
	startAgent(t, proxy, "n1", "liaison", startNode(t, large.String()).endpoint(), "--poll-metrics-interval", "100ms")
	startAgent(t, proxy, "n2", "liaison", startNode(t, pageA).endpoint())
	awaitStatuses(t, proxy, "n1", "online", "n2", "online")
	addr := proxy.addr("http")
	const window = "/metrics-windows?start_time=1"
	eventually(t, "a page that no buffer holds", func() error {
		if got := len(page(t, addr, window)); got < slowPage {
			return fmt.Errorf("%d bytes", got)
		}
		return nil
	})
	served := windowsServed(t, addr)
	clients := make([]*slowClient, slowClients)
	for i := range clients {
		clients[i] = startSlowClient(t, addr, window)
		select {
		case <-clients[i].begun:
		case err := <-clients[i].ended:
			t.Fatalf("client %d: %v", i, err)
		case <-time.After(patience):
			t.Fatalf("client %d waits for its answer", i)
		}
	}
	require.Zero(t, countActors(actorTree(t, proxy).Actors, "collect"), "no collection waits for a client")
	for range 10 {
		body := page(t, addr, "/metrics?strict=1")
		require.Equal(t, 2000, strings.Count(body, "\nlarge{"))
		require.Contains(t, body, `requests_total{path="/a",node_id="n2"`)
	}
	require.Greater(t, len(page(t, addr, window+"&strict=1")), slowPage)
	require.Equal(t, served+1, windowsServed(t, addr), "those of the slow are in the middle")
	within(t, 20*time.Second+patience, "none is waited for longer than --http-write-timeout", func() error {
		if got := windowsServed(t, addr); got < served+1+slowClients {
			return fmt.Errorf("%d of %d windows", got, served+1+slowClients)
		}
		return nil
	})
	for i, c := range clients {
		select {
		case err := <-c.ended:
			require.NotErrorIs(t, err, io.EOF, "client %d has the whole page", i)
		default: // reads what the kernel holds
		}
	}
}

// windowsServed counts the windows that were sent completely (200) or cut (499).
func windowsServed(t *testing.T, addr string) (served int) {
	t.Helper()
	rest := page(t, addr, "/metrics/self")
	for found := true; found; {
		if _, rest, found = strings.Cut(rest, `fodc_proxy_http_requests_total{route="/metrics-windows",code=`); found {
			var code string
			var requests int
			_, err := fmt.Sscanf(rest, "%q} %d", &code, &requests)
			require.NoError(t, err)
			served += requests
		}
	}
	require.Positive(t, served)
	return served
}
