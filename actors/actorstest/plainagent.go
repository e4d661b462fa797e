package actorstest

import (
	"context"
	"fmt"
	"sync"

	"fodc/messages"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// PlainAgent is one session of an agent that knows the baseline only, with a proxy under test. It
// does nothing by itself but to read what the proxy answers to its registration and heartbeats.
type PlainAgent struct {
	// Key is the agent_id of the session.
	Key string
	// Welcome is the proxy's answer to the registration.
	Welcome Fields

	conn         grpc.ClientConnInterface
	registration *PlainStream
	ctx          context.Context
	cancel       context.CancelFunc
	done         chan struct{}
	err          error // of the end, before done is closed
}

// RegisterPlainAgent registers an agent. The session lasts until Leave, Close or the end of ctx; its
// goroutine ends with it.
func RegisterPlainAgent(ctx context.Context, conn grpc.ClientConnInterface, registration Fields) (*PlainAgent, error) {
	ctx, cancel := context.WithCancel(ctx)
	g, err := conn.NewStream(ctx, BaselineStream(), "/"+BaselineService+"/RegisterAgent")
	if err != nil {
		cancel()
		return nil, err
	}
	a := &PlainAgent{conn: conn, ctx: ctx, cancel: cancel, done: make(chan struct{}),
		registration: &PlainStream{g: g, in: "RegisterAgentResponse", out: "RegisterAgentRequest"}}
	if err = a.registration.Send(registration); err == nil {
		a.Welcome, err = a.registration.Receive()
	}
	if err == nil && a.Welcome["success"] != true {
		err = fmt.Errorf("the proxy refuses the registration: %v", a.Welcome["message"])
	}
	if err != nil {
		cancel()
		return nil, err
	}
	a.Key, _ = a.Welcome["agentId"].(string)
	go func() {
		defer close(a.done)
		for a.err == nil {
			_, a.err = a.registration.Receive()
		}
	}()
	return a, nil
}

// Beat sends a heartbeat.
func (a *PlainAgent) Beat(f Fields) error { return a.registration.Send(f) }

// Leave says goodbye: it half-closes the session.
func (a *PlainAgent) Leave() error { return a.registration.CloseSend() }

// Close breaks the session and its streams off.
func (a *PlainAgent) Close() {
	a.cancel()
	<-a.done
}

// Done is closed when the session has ended; then Err is why, io.EOF if the proxy ended it well.
func (a *PlainAgent) Done() <-chan struct{} { return a.done }

// Err is nil until Done is closed.
func (a *PlainAgent) Err() error {
	select {
	case <-a.done:
		return a.err
	default:
		return nil
	}
}

// Open opens a stream of the session. A refusal is the error of its first Receive.
func (a *PlainAgent) Open(s messages.Stream) (*PlainStream, error) {
	method := plainMethods[s]
	ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(a.ctx, "agent_id", a.Key))
	g, err := a.conn.NewStream(ctx, BaselineStream(), "/"+BaselineService+"/"+method.name)
	if err != nil {
		cancel()
		return nil, err
	}
	return &PlainStream{g: g, in: method.question, out: method.answer, reset: cancel}, nil
}

// Serve opens a stream, and sends what answer returns to each question, until the stream ends. The goroutine that
// does it ends with the session at the latest.
func (a *PlainAgent) Serve(s messages.Stream, answer func(question Fields) []Fields) (*PlainServed, error) {
	stream, err := a.Open(s)
	if err != nil {
		return nil, err
	}
	p := &PlainServed{PlainStream: stream, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		for {
			q, err := stream.Receive()
			p.mu.Lock()
			if p.err = err; err == nil {
				p.questions = append(p.questions, q)
			}
			p.mu.Unlock()
			if err != nil {
				return
			}
			if stream.Send(answer(q)...) != nil {
				continue // Receive says why.
			}
		}
	}()
	return p, nil
}

// PlainServed is a stream whose questions are answered.
type PlainServed struct {
	*PlainStream
	done chan struct{}

	mu        sync.Mutex
	questions []Fields
	err       error
}

// Questions are those that have come so far.
func (p *PlainServed) Questions() []Fields {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Fields(nil), p.questions...)
}

// Done is closed when the stream has ended; then Err is why.
func (p *PlainServed) Done() <-chan struct{} { return p.done }

// Err is nil until Done is closed.
func (p *PlainServed) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
