package actorstest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The methods of a FakeDatabase.
const (
	GetCurrentNode  = "/banyandb.database.v1.NodeQueryService/GetCurrentNode"
	GetClusterState = "/banyandb.database.v1.ClusterStateService/GetClusterState"
	InspectAll      = "/banyandb.fodc.v1.GroupLifecycleService/InspectAll"
)

// FakeCall is how a FakeDatabase answers the calls of a method.
type FakeCall struct {
	// Answer is the response, if Err is nil.
	Answer Fields
	// Err is best an error of gRPC's status.
	Err error
	// Delay is how long each call takes; it ends early with the call. Below 0 it takes as long as the
	// caller waits.
	Delay time.Duration
}

// FakeDatabase has the services of a database's node that an agent asks, and its port of profiles. A
// method that was not Set is Unimplemented, a profile that was not set is not found.
type FakeDatabase struct {
	mu       sync.Mutex
	methods  map[string]FakeCall
	calls    map[string]int
	profiles map[string]FakeProfile
	requests []string

	grpcServer *grpc.Server
	httpServer *http.Server
	served     sync.WaitGroup
}

// NewFakeDatabase returns a database that serves nothing yet.
func NewFakeDatabase() *FakeDatabase {
	return &FakeDatabase{methods: map[string]FakeCall{}, calls: map[string]int{}, profiles: map[string]FakeProfile{}}
}

// Set says how the calls of a method are answered from now on.
func (d *FakeDatabase) Set(method string, call FakeCall) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.methods[method] = call
}

// Unset makes a method Unimplemented.
func (d *FakeDatabase) Unset(method string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.methods, method)
}

// Calls returns how often a method was called.
func (d *FakeDatabase) Calls(method string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls[method]
}

// Register adds the services to a server that has not begun to serve.
func (d *FakeDatabase) Register(server *grpc.Server) {
	for _, m := range []struct{ service, method, response string }{
		{"banyandb.database.v1.NodeQueryService", "GetCurrentNode", "GetCurrentNodeResponse"},
		{"banyandb.database.v1.ClusterStateService", "GetClusterState", "GetClusterStateResponse"},
		{"banyandb.fodc.v1.GroupLifecycleService", "InspectAll", "InspectAllResponse"},
	} {
		server.RegisterService(&grpc.ServiceDesc{ServiceName: m.service, HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
			MethodName: m.method,
			Handler: func(_ any, ctx context.Context, request func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				if err := request(NewBaseline("Other")); err != nil {
					return nil, err
				}
				f, err := d.call(ctx, "/"+m.service+"/"+m.method)
				if err != nil {
					return nil, err
				}
				return Baseline(m.response, f), nil
			}}}}, d)
	}
}

func (d *FakeDatabase) call(ctx context.Context, method string) (Fields, error) {
	d.mu.Lock()
	d.calls[method]++
	c, ok := d.methods[method]
	d.mu.Unlock()
	if !ok {
		return nil, status.Errorf(codes.Unimplemented, "unknown method %s", method)
	}
	if err := pause(ctx, c.Delay); err != nil {
		return nil, status.FromContextError(err).Err()
	}
	return c.Answer, c.Err
}

// pause waits for the delay or the end of ctx; below 0 only for that.
func pause(ctx context.Context, delay time.Duration) error {
	if delay == 0 {
		return nil
	}
	var over <-chan time.Time
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Serve serves both ports, either of which may be nil, until Close. The listeners may be in memory.
func (d *FakeDatabase) Serve(services, profiles net.Listener) {
	if services != nil {
		d.grpcServer = grpc.NewServer()
		d.Register(d.grpcServer)
		d.served.Go(func() { _ = d.grpcServer.Serve(services) })
	}
	if profiles != nil {
		d.httpServer = &http.Server{Handler: d}
		d.served.Go(func() { _ = d.httpServer.Serve(profiles) })
	}
}

// Listen serves both on ports of the loopback interface, and returns their addresses.
func (d *FakeDatabase) Listen() (services, profiles string, err error) {
	s, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	p, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", errors.Join(err, s.Close())
	}
	d.Serve(s, p)
	return s.Addr().String(), p.Addr().String(), nil
}

// Close ends what Serve began, at once.
func (d *FakeDatabase) Close() {
	if d.grpcServer != nil {
		d.grpcServer.Stop()
	}
	if d.httpServer != nil {
		_ = d.httpServer.Close()
	}
	d.served.Wait()
}
