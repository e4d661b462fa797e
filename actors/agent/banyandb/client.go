package banyandb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Deadlines of the calls. A node that is asked for its groups asks all others.
const (
	callTimeout    = 5 * time.Second
	inspectTimeout = 30 * time.Second
)

// Limits of the answers, in bytes.
const (
	maxNodeBytes         = 1 << 20
	maxClusterStateBytes = 4 << 20
	maxInspectBytes      = 64 << 20
)

// ErrUnimplemented says that the port does not serve what was asked for.
var ErrUnimplemented = errors.New("not served there")

var errClosed = errors.New("the client is closed")

// Dialer opens a connection to host:port.
type Dialer func(ctx context.Context, address string) (net.Conn, error)

// Client asks one port of the node. Its calls are made one after the other; Close may come at any
// time.
//
// It keeps one connection, which costs nothing while no call is made. What turns out not to be served
// is not asked for again as long as that connection lives: the other end is the same process then.
type Client struct {
	address string
	dial    Dialer

	mu     sync.Mutex
	conn   *connection // nil: there is none
	closed bool
}

// New returns the client of a port on the loopback interface. Nothing is dialed before the first
// call. dial may be nil.
func New(port int, dial Dialer) *Client {
	if dial == nil {
		dial = dialTCP
	}
	return &Client{address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), dial: dial}
}

func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

// CurrentNode returns the node that serves the port. It takes at most 5 s. The error may be
// ErrUnimplemented.
func (c *Client) CurrentNode(ctx context.Context) (*messages.DatabaseNode, error) {
	var answer *wire.GetCurrentNodeResponse
	err := c.call(ctx, "GetCurrentNode", callTimeout, maxNodeBytes, func(ctx context.Context, conn *grpc.ClientConn, size grpc.CallOption) (err error) {
		answer, err = wire.NewNodeQueryServiceClient(conn).GetCurrentNode(ctx, &wire.GetCurrentNodeRequest{}, size)
		return err
	})
	if err != nil {
		return nil, err
	}
	if answer.GetNode() == nil {
		return nil, fmt.Errorf("GetCurrentNode at %s: the answer has no node", c.address)
	}
	node := wire.FromNode(answer.GetNode())
	return &node, nil
}

// RegisteredNodes returns the nodes that are registered in the route tables of the port's node, in the
// order of the tables' names. One that is in several tables comes several times. It takes at most
// 5 s. The error may be ErrUnimplemented.
func (c *Client) RegisteredNodes(ctx context.Context) ([]messages.DatabaseNode, error) {
	var answer *wire.GetClusterStateResponse
	err := c.call(ctx, "GetClusterState", callTimeout, maxClusterStateBytes, func(ctx context.Context, conn *grpc.ClientConn, size grpc.CallOption) (err error) {
		answer, err = wire.NewClusterStateServiceClient(conn).GetClusterState(ctx, &wire.GetClusterStateRequest{}, size)
		return err
	})
	if err != nil {
		return nil, err
	}
	tables := answer.GetRouteTables()
	var nodes []messages.DatabaseNode
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		for _, n := range tables[name].GetRegistered() {
			nodes = append(nodes, wire.FromNode(n))
		}
	}
	return nodes, nil
}

// InspectAll returns all groups of the database; not nil if there is no error. It takes at most 30 s. The error may be
// ErrUnimplemented.
func (c *Client) InspectAll(ctx context.Context) ([]messages.LifecycleGroup, error) {
	var answer *wire.InspectAllResponse
	err := c.call(ctx, "InspectAll", inspectTimeout, maxInspectBytes, func(ctx context.Context, conn *grpc.ClientConn, size grpc.CallOption) (err error) {
		answer, err = wire.NewGroupLifecycleServiceClient(conn).InspectAll(ctx, &wire.InspectAllRequest{}, size)
		return err
	})
	if err != nil {
		return nil, err
	}
	groups := make([]messages.LifecycleGroup, 0, len(answer.GetGroups()))
	for _, g := range answer.GetGroups() {
		groups = append(groups, wire.FromGroup(g))
	}
	return groups, nil
}

// deadlineSlack is how much earlier than this side the node may see that a call is out of time.
const deadlineSlack = 50 * time.Millisecond

// call makes a call, unless it is known that the port does not serve it.
func (c *Client) call(ctx context.Context, method string, timeout time.Duration, limit int,
	invoke func(context.Context, *grpc.ClientConn, grpc.CallOption) error) error {
	conn, err := c.connection()
	if err != nil {
		return fmt.Errorf("%s at %s: %w", method, c.address, err)
	}
	if conn.lacks[method] {
		return ErrUnimplemented
	}
	late := fmt.Errorf("no answer within %s", timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, late)
	defer cancel()
	err = invoke(ctx, conn.grpc, grpc.MaxCallRecvMsgSize(limit))
	switch status.Code(err) {
	case codes.OK:
		return nil
	case codes.Unimplemented:
		conn.lacks[method] = true
		return ErrUnimplemented
	case codes.Unavailable:
		c.drop(conn)
	}
	reason := errors.New(status.Convert(err).Message())
	if dialed := conn.dialError.Load(); dialed != nil {
		reason = dialed
	}
	if cause := causeOfEnd(ctx, status.Code(err)); cause != nil {
		reason = cause
	}
	return fmt.Errorf("%s at %s: %w", method, c.address, reason)
}

// causeOfEnd returns why ctx ended a call, or nil if it did not. The node knows the deadline, too, and
// may end the call a little before this side does: the cause is waited for then.
func causeOfEnd(ctx context.Context, code codes.Code) error {
	deadline, _ := ctx.Deadline()
	if early := code == codes.Canceled || code == codes.DeadlineExceeded; early && time.Until(deadline) <= deadlineSlack {
		<-ctx.Done()
	}
	return context.Cause(ctx)
}

// connection returns the connection: another one if the last one is lost.
func (c *Client) connection() (*connection, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if c.conn != nil && c.conn.isLost() {
		c.conn.close()
		c.conn = nil
	}
	if c.conn == nil {
		conn, err := newConnection(c.address, c.dial)
		if err != nil {
			return nil, err
		}
		c.conn = conn
	}
	return c.conn, nil
}

// drop closes the connection, so that gRPC does not dial on its own until the next call.
func (c *Client) drop(conn *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == conn {
		c.conn.close()
		c.conn = nil
	}
}

// Close ends the call under way, and the connection. Later calls fail.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.conn != nil {
		c.conn.close()
		c.conn = nil
	}
}
