package proxy

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Deadlines of the service's handlers.
const (
	// firstFrameTimeout is how long a registration stream may say nothing.
	firstFrameTimeout = 10 * time.Second
	// actorTimeout bounds how long a handler waits for an actor's answer.
	actorTimeout = 5 * time.Second
)

// service is the gRPC side of the proxy. It has no state of its own: every stream
// is handed to an actor, and the handler waits for that to end it.
type service struct {
	wire.UnimplementedFODCServiceServer
	sys      *actors.System
	registry *actors.PID
	tally    *tally
	peers    *peerLog
	stopping context.Context // ends when no stream is to be taken any more
}

// RegisterAgent serves a session's registration stream.
func (v *service) RegisterAgent(g grpc.BidiStreamingServer[wire.RegisterAgentRequest, wire.RegisterAgentResponse]) error {
	var s *registrationStream
	var session *actors.PID
	err := aside(func() (err error) {
		s, session, err = v.register(g)
		return err
	})
	if err != nil {
		return err
	}
	recv := func() (*heartbeatFrame, error) {
		f := &heartbeatFrame{}
		return f, g.RecvMsg(f)
	}
	return serve(v.sys, session, s, recv)
}

// register reads the registration and asks the registry for a session.
func (v *service) register(g grpc.BidiStreamingServer[wire.RegisterAgentRequest, wire.RegisterAgentResponse]) (*registrationStream, *actors.PID, error) {
	first, err := v.firstFrame(g)
	if err != nil {
		v.tally.notRegistered(err)
		return nil, nil, err
	}
	s := newStream(g.Context(), answersToWrite, g.Send)
	ctx, cancel := context.WithTimeout(s.ctx, actorTimeout)
	defer cancel()
	adm, err := actors.Ask[admitted](ctx, v.sys, v.registry, admit{registration: wire.FromRegistration(first),
		peer: peerAddress(g.Context()), connection: connectionOf(g.Context()).id, stream: s})
	if err == nil {
		return s, adm.session, nil
	}
	s.close(err)
	s.wait()
	v.tally.notRegistered(err)
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		// The answer says it too: a baseline agent reads it there.
		if err := g.Send(wire.WelcomeFrame(wire.Welcome{Message: refused.text})); err != nil {
			return nil, nil, err
		}
		return nil, nil, refused.status()
	case errors.Is(err, errStopping):
		return nil, nil, errStopping
	}
	v.sys.Send(v.registry, abandoned{s.id})
	return nil, nil, v.noAnswer()
}

// StreamMetrics serves a session's metrics stream.
func (v *service) StreamMetrics(g grpc.BidiStreamingServer[wire.StreamMetricsRequest, wire.StreamMetricsResponse]) error {
	pid, err := v.session(g.Context())
	if err != nil {
		return v.refused(g.Context(), err)
	}
	s := newStream(g.Context(), requestsToWrite, g.Send)
	if err := v.attach(s.ctx, pid, attachMetrics{s}); err != nil {
		_ = v.refused(g.Context(), err)
		v.giveUp(pid, s.id, err)
		s.close(err)
		s.wait()
		return err
	}
	recv := func() (*answerFrame, error) {
		f := &answerFrame{}
		return f, g.RecvMsg(f)
	}
	return serve(v.sys, pid, s, recv)
}

// hold serves every other stream, of today's agents and of tomorrow's.
func (v *service) hold(g grpc.ServerStream) error {
	pid, err := v.session(g.Context())
	if err != nil {
		return v.refused(g.Context(), err)
	}
	s := newStream[*wire.HeldResponse](g.Context(), 1, nil)
	if err := v.attach(s.ctx, pid, attachHeld{s}); err != nil {
		v.giveUp(pid, s.id, err)
		return v.refused(g.Context(), err)
	}
	drained := make(chan error, 1)
	go func() { drained <- drain(g) }()
	select {
	case err = <-drained:
	case <-s.ctx.Done():
		err = cause(s.ctx)
	}
	v.sys.Send(pid, actors.StreamClosed{Stream: s.id, Err: err})
	return err
}

// refused counts and logs a stream that is refused with the error, which it returns.
func (v *service) refused(stream context.Context, err error) error {
	why := streamRefusalOf(err)
	v.tally.streamRefused(why)
	if why != streamStopping {
		method, _ := grpc.Method(stream)
		v.peers.warn(logEvent{"stream refused: " + string(why), strangerLines}, v.sys.Log(), "stream refused", zap.String("reason", string(why)),
			zap.String("peer", peerAddress(stream).String()), zap.String("method", cut(method)), zap.String("error", status.Convert(err).Message()))
	}
	return err
}

// session finds the session whose key the stream's metadata has. It must be one of the
// stream's own connection: a key that somebody else has got hold of is of no use to them.
func (v *service) session(ctx context.Context) (*actors.PID, error) {
	if v.stopping.Err() != nil {
		return nil, errStopping
	}
	md, _ := metadata.FromIncomingContext(ctx)
	ids := md.Get("agent_id")
	if len(ids) == 0 || ids[0] == "" {
		return nil, errNoID
	}
	ctx, cancel := context.WithTimeout(ctx, actorTimeout)
	defer cancel()
	f, err := actors.Ask[found](ctx, v.sys, v.registry, find{key: hashKey(ids[0]), connection: connectionOf(ctx).id})
	switch {
	case errors.Is(err, errUnknownID), errors.Is(err, errForeign):
		return nil, err
	case err != nil:
		return nil, v.noAnswer()
	}
	return f.session, nil
}

// noAnswer is the status of a stream that the registry says nothing of.
func (v *service) noAnswer() error {
	if v.stopping.Err() != nil {
		return errStopping
	}
	return errNoAnswer
}

func (v *service) attach(ctx context.Context, session *actors.PID, m any) error {
	ctx, cancel := context.WithTimeout(ctx, actorTimeout)
	defer cancel()
	_, err := actors.Ask[attached](ctx, v.sys, session, m)
	switch {
	case errors.Is(err, actors.ErrGone):
		return errUnknownID
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return errLost
	}
	return err
}

// giveUp tells a session of a stream that nobody serves, if the session may have
// taken it: its answer may have come too late.
func (v *service) giveUp(session *actors.PID, id actors.StreamID, err error) {
	if errors.Is(err, errLost) {
		v.sys.Send(session, actors.StreamClosed{Stream: id, Err: err})
	}
}

// serve starts the stream's reader, and waits until the session ends the stream. Its
// return is what ends a blocked reader.
func serve[In, Out any](sys *actors.System, session *actors.PID, s *stream[Out], recv func() (In, error)) error {
	go actors.ReadPump(s.ctx, sys, session, s.id, s.credits, recv)
	s.wait()
	err := cause(s.ctx)
	if errors.Is(err, errStuck) {
		hangUp(s.ctx)
	}
	return err
}

// aside runs f in a goroutine of its own, and waits for it. What f takes of the stack is
// gone then; a handler would keep it as long as its stream lives.
func aside(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return <-done
}

// cause returns the status with which the session ended the stream.
func cause(ctx context.Context) error {
	err := context.Cause(ctx)
	if errors.Is(err, errStreamOver) {
		return nil
	}
	if _, isStatus := status.FromError(err); !isStatus {
		return errLost
	}
	return err
}

// firstFrame reads the registration, and does not wait for it for ever.
func (v *service) firstFrame(g grpc.BidiStreamingServer[wire.RegisterAgentRequest, wire.RegisterAgentResponse]) (*wire.RegisterAgentRequest, error) {
	type result struct {
		frame *wire.RegisterAgentRequest
		err   error
	}
	got := make(chan result, 1)
	go func() {
		f, err := g.Recv()
		got <- result{f, err}
	}()
	patience := time.NewTimer(firstFrameTimeout)
	defer patience.Stop()
	select {
	case <-v.stopping.Done():
		return nil, errStopping
	case r := <-got:
		return r.frame, r.err
	case <-patience.C:
		return nil, errSilent
	}
}

// peerAddress returns where the connection comes from, zero if that is not an IP
// address and a port.
func peerAddress(ctx context.Context) messages.Address {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return messages.Address{}
	}
	return parseAddress(p.Addr.String())
}

func parseAddress(text string) messages.Address {
	host, portText, err := net.SplitHostPort(text)
	if err != nil {
		return messages.Address{}
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return messages.Address{}
	}
	return messages.Address{IP: host, Port: int32(port)}
}

// holdUnknown serves the streams of this service that have no handler; of another
// service it refuses them.
func (v *service) holdUnknown(_ any, g grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(g)
	if !strings.HasPrefix(method, "/"+wire.FODCService_ServiceDesc.ServiceName+"/") {
		return unimplemented(method)
	}
	return v.hold(g)
}
