package banyandb

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

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
	// dialError is why the connection could not be dialed; gRPC's own text of it is longer.
	dialError atomic.Pointer[dialError]
}

func newConnection(address string, dial Dialer) (*connection, error) {
	c := &connection{lacks: map[string]bool{}}
	var err error
	c.grpc, err = grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			to, err := dial(ctx, address)
			if err != nil {
				c.dialError.Store(&dialError{err})
			}
			return to, err
		}),
		grpc.WithUserAgent("fodc"),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		grpc.WithIdleTimeout(0))
	if err != nil {
		return nil, err
	}
	return c, nil
}

// dialError is why a connection could not be dialed. Its text has no address.
type dialError struct{ err error }

func (e *dialError) Error() string {
	err := e.err
	if failed := (*net.OpError)(nil); errors.As(err, &failed) && failed.Err != nil {
		err = failed.Err
	}
	return "dial: " + err.Error()
}

func (e *dialError) Unwrap() error { return e.err }

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
