package banyandb

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
)

// connection is a connection to a port. It is dialed by its first call, and not dialed again: one that
// is lost is replaced.
type connection struct {
	grpc *grpc.ClientConn
	// lacks are the methods that the port does not serve.
	lacks map[string]bool
}

func newConnection(address string, dial Dialer) (*connection, error) {
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) { return dial(ctx, address) }),
		grpc.WithUserAgent("fodc"),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		grpc.WithIdleTimeout(0))
	if err != nil {
		return nil, err
	}
	return &connection{grpc: conn, lacks: map[string]bool{}}, nil
}

// isLost reports whether a connection that was used is not there any more. A process that ends loses
// its connections.
func (c *connection) isLost() bool {
	switch c.grpc.GetState() {
	case connectivity.Ready, connectivity.Connecting:
		return false
	default:
		return true
	}
}

func (c *connection) close() { _ = c.grpc.Close() }
