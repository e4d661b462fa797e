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
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

// actorTimeout bounds how long a handler waits for an actor's answer.
const actorTimeout = 5 * time.Second

// service has the gRPC handlers of the proxy. It has no state but a count: each stream is passed to
// an actor, and the handler waits until the actor ends it.
type service struct {
	wire.UnimplementedFODCServiceServer
	sys      *actors.System
	registry *actors.PID
	counters *counters
	peers    *peerLog
	// connections is told which ones have a session.
	connections *connections
	stopping    context.Context // ends when new streams are to be rejected
	slow        chan struct{}   // has an element for each registration stream with a slow first frame
}

// RegisterAgent serves a session's registration stream.
func (v *service) RegisterAgent(g grpc.BidiStreamingServer[wire.RegisterAgentRequest, wire.RegisterAgentResponse]) error {
	var s *registrationStream
	var session *actors.PID
	err := runInGoroutine(func() (err error) {
		s, session, err = v.register(g)
		return err
	})
	if err != nil {
		return err
	}
	conn := connectionOf(g.Context()).raw
	v.connections.registered(conn)
	defer v.connections.unregistered(conn)
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
		v.counters.registrationFailed(err)
		v.logSilent(g.Context(), textRefused, err)
		return nil, nil, err
	}
	s := newStream(g.Context(), answersToWrite, g.Send)
	ctx, cancel := context.WithTimeout(s.ctx, actorTimeout)
	defer cancel()
	adm, err := actors.Ask[admitted](ctx, v.sys, v.registry, admit{registration: wire.FromRegistration(first),
		peer: peerAddress(g.Context()), connection: connectionOf(g.Context()).id, shown: shownBy(g.Context()), stream: s})
	if err == nil {
		return s, adm.session, nil
	}
	s.close(err)
	s.wait()
	v.counters.registrationFailed(err)
	var rejected *rejection
	switch {
	case errors.As(err, &rejected):
		// The answer has the reason, too: a baseline agent does not read the status.
		if err := g.Send(wire.WelcomeFrame(wire.Welcome{Message: rejected.text})); err != nil {
			return nil, nil, err
		}
		return nil, nil, rejected.status()
	case errors.Is(err, errStopping):
		return nil, nil, errStopping
	}
	v.sys.Send(v.registry, abandoned{s.id})
	return nil, nil, v.noAnswer()
}

// serveQuestions serves a stream on which the session asks.
func (v *service) serveQuestions(kind messages.Stream, g grpc.ServerStream) error {
	pid, err := v.session(g.Context())
	if err != nil {
		return v.rejectStream(g.Context(), err)
	}
	s := newStream(g.Context(), requestsToWrite, func(m proto.Message) error { return g.SendMsg(m) })
	if err := v.attach(s.ctx, pid, attach{kind, s}); err != nil {
		_ = v.rejectStream(g.Context(), err)
		v.abandonStream(pid, s.id, err)
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

// drainStream serves all other streams of the service.
func (v *service) drainStream(g grpc.ServerStream) error {
	pid, err := v.session(g.Context())
	if err != nil {
		return v.rejectStream(g.Context(), err)
	}
	s := newStream[*emptypb.Empty](g.Context(), 1, nil)
	if err := v.attach(s.ctx, pid, attachDrained{s}); err != nil {
		v.abandonStream(pid, s.id, err)
		return v.rejectStream(g.Context(), err)
	}
	drained := make(chan error, 1)
	go func() { drained <- drain(g) }()
	select {
	case err = <-drained:
	case <-s.ctx.Done():
		err = streamStatus(s.ctx)
	}
	v.sys.Send(pid, actors.StreamClosed{Stream: s.id, Err: err})
	return err
}

// rejectStream counts and logs a stream that is rejected, and returns the error.
func (v *service) rejectStream(stream context.Context, err error) error {
	why := streamRejectionOf(err)
	v.counters.streamRejected(why)
	if why != streamStopping {
		method, _ := grpc.Method(stream)
		v.peers.warn(logEvent{"stream refused: " + string(why), strangerLines}, v.sys.Log(), "stream refused", zap.String("reason", string(why)),
			zap.String("peer", peerAddress(stream).String()), zap.String("method", truncate(method)), zap.String("error", status.Convert(err).Message()))
	}
	return err
}

// session finds the session whose key is in the stream's metadata. The session must have been
// registered on the stream's connection, so a key that was stolen is useless elsewhere.
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

// noAnswer returns the status of a stream for which the registry has not answered.
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

// abandonStream tells the session that a stream has no handler any more. It is needed if the
// session's answer has not come in time: the session may have attached the stream.
func (v *service) abandonStream(session *actors.PID, id actors.StreamID, err error) {
	if errors.Is(err, errLost) {
		v.sys.Send(session, actors.StreamClosed{Stream: id, Err: err})
	}
}

// serve starts the stream's reader, and waits until the session ends the stream. gRPC ends a
// blocked reader when the handler returns.
func serve[In, Out any](sys *actors.System, session *actors.PID, s *stream[Out], recv func() (In, error)) error {
	go actors.ReadPump(s.ctx, sys, session, s.id, s.credits, recv)
	s.wait()
	err := streamStatus(s.ctx)
	if errors.Is(err, errStuck) {
		hangUp(s.ctx)
	}
	return err
}

// runInGoroutine runs f in a goroutine of its own and waits for it. A handler that called f
// itself would keep the grown stack as long as its stream lives.
func runInGoroutine(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return <-done
}

// streamStatus returns the status with which the session has ended the stream.
func streamStatus(ctx context.Context) error {
	err := context.Cause(ctx)
	if errors.Is(err, errStreamOver) {
		return nil
	}
	if _, isStatus := status.FromError(err); !isStatus {
		return errLost
	}
	return err
}

// peerAddress returns the remote address of the stream's connection; the zero Address if it is
// not an IP address and a port.
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

// drainUnknown drains streams of this service that have no handler, as later versions of the
// contract may have them. It rejects those of other services.
func (v *service) drainUnknown(_ any, g grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(g)
	if !strings.HasPrefix(method, "/"+wire.FODCService_ServiceDesc.ServiceName+"/") {
		return unimplemented(method)
	}
	return v.drainStream(g)
}
