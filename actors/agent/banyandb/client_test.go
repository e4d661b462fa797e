package banyandb

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

// node is a database node that may be started and stopped again and again.
type node struct {
	wire.UnimplementedNodeQueryServiceServer
	wire.UnimplementedClusterStateServiceServer
	wire.UnimplementedGroupLifecycleServiceServer

	mu     sync.Mutex
	server *grpc.Server
	at     *bufconn.Listener // nil: it is down
	dials  int
	calls  map[string]int

	current *wire.GetCurrentNodeResponse // nil: not served
	state   *wire.GetClusterStateResponse
	groups  *wire.InspectAllResponse
	hang    bool
	early   time.Duration // so long before the deadline, a call that hangs is ended with early's status
	status  codes.Code
}

func (n *node) start() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at, n.server = bufconn.Listen(1<<16), grpc.NewServer()
	wire.RegisterNodeQueryServiceServer(n.server, n)
	wire.RegisterClusterStateServiceServer(n.server, n)
	wire.RegisterGroupLifecycleServiceServer(n.server, n)
	go func(at *bufconn.Listener, server *grpc.Server) { _ = server.Serve(at) }(n.at, n.server)
}

func (n *node) stop() {
	n.mu.Lock()
	server := n.server
	n.at = nil
	n.mu.Unlock()
	server.Stop()
	synctest.Wait()
}

func (n *node) dial(ctx context.Context, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dials++
	at := n.at
	n.mu.Unlock()
	if at == nil {
		return nil, errors.New("connection refused by " + address)
	}
	return at.DialContext(ctx)
}

func answer[T any](ctx context.Context, n *node, method string, a *T) (*T, error) {
	n.mu.Lock()
	n.calls[method]++
	hang, early, code := n.hang, n.early, n.status
	n.mu.Unlock()
	if hang {
		if deadline, ok := ctx.Deadline(); ok && early > 0 {
			time.Sleep(time.Until(deadline) - early)
			return nil, status.Error(code, "ended by the node")
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if a == nil {
		return nil, status.Error(codes.Unimplemented, "unknown")
	}
	return a, nil
}

func (n *node) GetCurrentNode(ctx context.Context, _ *wire.GetCurrentNodeRequest) (*wire.GetCurrentNodeResponse, error) {
	return answer(ctx, n, "node", n.current)
}

func (n *node) GetClusterState(ctx context.Context, _ *wire.GetClusterStateRequest) (*wire.GetClusterStateResponse, error) {
	return answer(ctx, n, "state", n.state)
}

func (n *node) InspectAll(ctx context.Context, _ *wire.InspectAllRequest) (*wire.InspectAllResponse, error) {
	return answer(ctx, n, "groups", n.groups)
}

// withNode runs the test with a node that is up, and a client of its port 17912.
func withNode(t *testing.T, test func(t *testing.T, n *node, c *Client)) {
	synctest.Test(t, func(t *testing.T) {
		n := &node{calls: map[string]int{}}
		n.start()
		c := New(17912, n.dial)
		defer func() {
			c.Close()
			n.stop()
			time.Sleep(10 * time.Second) // gRPC lets go of a transport after some seconds
		}()
		test(t, n, c)
	})
}

func named(name string) *wire.Node { return &wire.Node{Metadata: &wire.Metadata{Name: name}} }

// A port is asked again by the first call after its process was replaced.
func TestReplacedProcess(t *testing.T) {
	withNode(t, func(t *testing.T, n *node, c *Client) {
		_, err := c.CurrentNode(t.Context())
		require.ErrorIs(t, err, ErrUnimplemented)
		n.stop()
		n.current = &wire.GetCurrentNodeResponse{Node: named("n")}
		n.start()
		_, err = c.CurrentNode(t.Context())
		require.NoError(t, err)
	})
}

func TestAnswers(t *testing.T) {
	withNode(t, func(t *testing.T, n *node, c *Client) {
		n.current = &wire.GetCurrentNodeResponse{Node: &wire.Node{Metadata: &wire.Metadata{Name: "data-0"},
			Roles: []wire.Role{wire.Role_ROLE_DATA}, Labels: map[string]string{"type": "hot"}}}
		n.state = &wire.GetClusterStateResponse{RouteTables: map[string]*wire.RouteTable{
			"b": {Registered: []*wire.Node{named("data-1"), named("data-0")}, Active: []string{"data-1"}},
			"a": {Registered: []*wire.Node{named("data-2")}}, "c": nil}}
		n.groups = &wire.InspectAllResponse{Groups: []*wire.GroupLifecycleInfo{{Name: "sw_metric"}, {Name: "sw_trace"}}}
		current, err := c.CurrentNode(t.Context())
		require.NoError(t, err)
		require.Equal(t, "data-0", current.Metadata.Name)
		require.Equal(t, []messages.DatabaseRole{messages.DatabaseRoleData}, current.Roles)
		require.Equal(t, map[string]string{"type": "hot"}, current.Labels)
		nodes, err := c.RegisteredNodes(t.Context())
		require.NoError(t, err)
		var names []string
		for _, node := range nodes {
			names = append(names, node.Metadata.Name)
		}
		require.Equal(t, []string{"data-2", "data-1", "data-0"}, names)
		groups, err := c.InspectAll(t.Context())
		require.NoError(t, err)
		require.Len(t, groups, 2)
		require.Equal(t, "sw_trace", groups[1].Name)
		require.Equal(t, 1, n.dials)
	})
}

// A question that is not served is asked once of each process.
func TestUnimplemented(t *testing.T) {
	withNode(t, func(t *testing.T, n *node, c *Client) {
		ask := func() {
			for range 3 {
				_, err := c.CurrentNode(t.Context())
				require.ErrorIs(t, err, ErrUnimplemented)
				_, err = c.RegisteredNodes(t.Context())
				require.ErrorIs(t, err, ErrUnimplemented)
				_, err = c.InspectAll(t.Context())
				require.ErrorIs(t, err, ErrUnimplemented)
				time.Sleep(time.Hour)
			}
		}
		ask()
		require.Equal(t, map[string]int{"node": 1, "state": 1, "groups": 1}, n.calls)
		n.stop()
		n.start()
		ask()
		require.Equal(t, map[string]int{"node": 2, "state": 2, "groups": 2}, n.calls)
		require.Equal(t, 2, n.dials)
		n.current = &wire.GetCurrentNodeResponse{Node: named("n")} // another version, after a restart
		n.stop()
		_, err := c.CurrentNode(t.Context())
		require.EqualError(t, err, "GetCurrentNode at 127.0.0.1:17912: dial: connection refused by 127.0.0.1:17912")
		n.start()
		current, err := c.CurrentNode(t.Context())
		require.NoError(t, err)
		require.Equal(t, "n", current.Metadata.Name)
	})
}

// A node that is down is dialed once for each call, and not between them.
func TestDownIsNotDialed(t *testing.T) {
	withNode(t, func(t *testing.T, n *node, c *Client) {
		n.stop()
		for i := range 4 {
			_, err := c.CurrentNode(t.Context())
			require.ErrorContains(t, err, "connection refused")
			time.Sleep(time.Hour)
			require.Equal(t, i+1, n.dials)
		}
		n.start()
	})
}

func TestDialError(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{Port: 1}, Err: errors.New("connect: connection refused")}
	require.EqualError(t, &dialError{refused}, "dial: connect: connection refused")
	require.ErrorIs(t, &dialError{refused}, refused)
	require.EqualError(t, &dialError{errors.New("dial tcp :1")}, "dial: dial tcp :1")
}

func TestDeadlines(t *testing.T) {
	withNode(t, func(t *testing.T, n *node, c *Client) {
		n.hang = true
		f := func(limit time.Duration, method string, call func() error) {
			t.Helper()
			start := time.Now()
			require.EqualError(t, call(), method+" at 127.0.0.1:17912: no answer within "+limit.String())
			require.Equal(t, limit, time.Since(start))
		}
		f(5*time.Second, "GetCurrentNode", func() error { _, err := c.CurrentNode(t.Context()); return err })
		f(5*time.Second, "GetClusterState", func() error { _, err := c.RegisteredNodes(t.Context()); return err })
		f(30*time.Second, "InspectAll", func() error { _, err := c.InspectAll(t.Context()); return err })
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("the agent stops"))
		defer cancel()
		_, err := c.InspectAll(ctx)
		require.EqualError(t, err, "InspectAll at 127.0.0.1:17912: the agent stops")
	})
}

// The node counts the time of a call on its own. If it ends the call just before this side does, the
// error has the cause of this side nevertheless, of whichever deadline comes first.
func TestNodeEndsTheCallFirst(t *testing.T) {
	withNode(t, func(t *testing.T, n *node, c *Client) {
		n.hang = true
		f := func(early time.Duration, code codes.Code, expected, expectedOfShorter string) {
			t.Helper()
			n.early, n.status = early, code
			_, err := c.CurrentNode(t.Context())
			require.EqualError(t, err, "GetCurrentNode at 127.0.0.1:17912: "+expected)
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("the agent stops"))
			defer cancel()
			_, err = c.CurrentNode(ctx)
			require.EqualError(t, err, "GetCurrentNode at 127.0.0.1:17912: "+expectedOfShorter)
		}
		f(20*time.Millisecond, codes.Canceled, "no answer within 5s", "the agent stops")
		f(20*time.Millisecond, codes.DeadlineExceeded, "no answer within 5s", "the agent stops")
		f(20*time.Millisecond, codes.Internal, "ended by the node", "ended by the node")
		f(200*time.Millisecond, codes.Canceled, "ended by the node", "ended by the node")
	})
}

func TestSizes(t *testing.T) {
	withNode(t, func(t *testing.T, n *node, c *Client) {
		f := func(limit int, call func() error) {
			t.Helper()
			text := strings.Repeat("x", limit-1<<10)
			set := func(text string) {
				n.current = &wire.GetCurrentNodeResponse{Node: named(text)}
				n.state = &wire.GetClusterStateResponse{RouteTables: map[string]*wire.RouteTable{"t": {Registered: []*wire.Node{named(text)}}}}
				n.groups = &wire.InspectAllResponse{Groups: []*wire.GroupLifecycleInfo{{Name: text}}}
			}
			set(text)
			require.NoError(t, call())
			set(text + text[:2<<10])
			require.ErrorContains(t, call(), "received message larger than max")
		}
		f(1<<20, func() error { _, err := c.CurrentNode(t.Context()); return err })
		f(4<<20, func() error { _, err := c.RegisteredNodes(t.Context()); return err })
		f(64<<20, func() error { _, err := c.InspectAll(t.Context()); return err })
	})
}

func TestClosed(t *testing.T) {
	withNode(t, func(t *testing.T, n *node, c *Client) {
		n.hang = true
		ended := make(chan error, 1)
		go func() {
			_, err := c.CurrentNode(t.Context())
			ended <- err
		}()
		synctest.Wait()
		c.Close()
		require.Error(t, <-ended)
		_, err := c.CurrentNode(t.Context())
		require.ErrorIs(t, err, errClosed)
		c.Close()
	})
}

func TestNodeMissing(t *testing.T) {
	withNode(t, func(t *testing.T, n *node, c *Client) {
		n.current, n.state, n.groups = &wire.GetCurrentNodeResponse{}, &wire.GetClusterStateResponse{}, &wire.InspectAllResponse{}
		_, err := c.CurrentNode(t.Context())
		require.EqualError(t, err, "GetCurrentNode at 127.0.0.1:17912: the answer has no node")
		nodes, err := c.RegisteredNodes(t.Context())
		require.NoError(t, err)
		require.Empty(t, nodes)
		groups, err := c.InspectAll(t.Context())
		require.NoError(t, err)
		require.Empty(t, groups)
	})
}
