package actorstest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"fodc/messages"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// PlainProxy is a proxy that knows the baseline only, for agents under test. Make it in the bubble of
// the test if there is one.
type PlainProxy struct {
	refused []messages.Stream

	mu       sync.Mutex
	sessions []*PlainSession
	// changed is closed, and made anew, whenever something comes or ends.
	changed chan struct{}
}

// NewPlainProxy returns a proxy that answers Unimplemented on the refused streams.
func NewPlainProxy(refused ...messages.Stream) *PlainProxy {
	return &PlainProxy{refused: refused, changed: make(chan struct{})}
}

// Register adds the service to a server that has not begun to serve.
func (p *PlainProxy) Register(server *grpc.Server) {
	desc := &grpc.ServiceDesc{ServiceName: BaselineService, HandlerType: (*any)(nil)}
	add := func(name string, handler func(grpc.ServerStream) error) {
		desc.Streams = append(desc.Streams, grpc.StreamDesc{StreamName: name, ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, g grpc.ServerStream) error { return handler(g) }})
	}
	add("RegisterAgent", p.register)
	for s, method := range plainMethods {
		if !slices.Contains(p.refused, s) {
			add(method.name, func(g grpc.ServerStream) error { return p.stream(s, method, g) })
		}
	}
	server.RegisterService(desc, p)
}

// PlainSession is the session of an agent under test with a PlainProxy.
type PlainSession struct {
	// Key is the agent_id of the session.
	Key string

	p        *PlainProxy
	requests []Fields
	streams  map[messages.Stream]*plainAnswers
	ended    error
}

// plainAnswers is a stream of a session, and what has come on it and was not taken yet.
type plainAnswers struct {
	stream *PlainStream
	list   []Fields
	ended  error
}

// change changes the proxy's state, and wakes those who wait for it.
func (p *PlainProxy) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
}

// wait calls ready, with the lock held, until it returns true or an error.
func (p *PlainProxy) wait(ctx context.Context, what string, ready func() (bool, error)) error {
	for {
		p.mu.Lock()
		ok, err := ready()
		changed := p.changed
		p.mu.Unlock()
		if ok || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		}
	}
}

func (p *PlainProxy) register(g grpc.ServerStream) error {
	stream := &PlainStream{g: g, in: "RegisterAgentRequest", out: "RegisterAgentResponse"}
	first, err := stream.Receive()
	if err != nil {
		return err
	}
	s := &PlainSession{p: p, requests: []Fields{first}, streams: map[messages.Stream]*plainAnswers{}}
	p.change(func() {
		s.Key = fmt.Sprintf("id-%d", len(p.sessions)+1)
		p.sessions = append(p.sessions, s)
	})
	if err := stream.Send(Fields{"success": true, "message": "ok", "heartbeatIntervalSeconds": "15", "agentId": s.Key}); err != nil {
		return err
	}
	for {
		beat, err := stream.Receive()
		p.change(func() {
			if s.ended = err; err == nil {
				s.requests = append(s.requests, beat)
			}
		})
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

func (p *PlainProxy) stream(of messages.Stream, method plainMethod, g grpc.ServerStream) error {
	md, _ := metadata.FromIncomingContext(g.Context())
	a := &plainAnswers{stream: &PlainStream{g: g, in: method.answer, out: method.question}}
	var s *PlainSession
	p.change(func() {
		for _, session := range p.sessions {
			if slices.Equal(md.Get("agent_id"), []string{session.Key}) && session.ended == nil {
				s, session.streams[of] = session, a
			}
		}
	})
	if s == nil {
		return status.Errorf(codes.FailedPrecondition, "no session has the agent_id %q", md.Get("agent_id"))
	}
	for {
		f, err := a.stream.Receive()
		p.change(func() {
			if a.ended = err; err == nil {
				a.list = append(a.list, f)
			}
		})
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

// Session waits for the session of the number, of which the first is 0.
func (p *PlainProxy) Session(ctx context.Context, n int) (*PlainSession, error) {
	var s *PlainSession
	err := p.wait(ctx, fmt.Sprintf("session %d", n), func() (bool, error) {
		if n < len(p.sessions) {
			s = p.sessions[n]
		}
		return s != nil, nil
	})
	return s, err
}
