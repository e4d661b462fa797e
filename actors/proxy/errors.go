package proxy

import (
	"errors"
	"fmt"

	"fodc/messages/wire"

	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The statuses with which the proxy ends streams.
var (
	errStopping  = status.Error(codes.Unavailable, wire.StoppingText)
	errFailed    = status.Error(codes.Internal, "the session failed in the proxy: register anew")
	errReplaced  = status.Error(codes.Aborted, "replaced by a newer registration of the same node")
	errNewStream = status.Error(codes.Aborted, "replaced by a newer metrics stream of the same session")
	errRemoved   = status.Error(codes.Unavailable, "no heartbeat for longer than the cleanup timeout")
	errAbandoned = status.Error(codes.Canceled, "the registration was given up")
	errLost      = status.Error(codes.Unavailable, "the session is over")
	errStuck     = status.Error(codes.ResourceExhausted, "the agent does not read what it is sent")
	errFlood     = status.Error(codes.ResourceExhausted, "the agent sends answers that nobody asked for")
	errUnknownID = status.Error(codes.NotFound, "no session has this agent_id: register anew")
	errNoID      = status.Error(codes.Unauthenticated, "the metadata has no agent_id")
	errSilent    = status.Error(codes.DeadlineExceeded, "no registration came")
)

// errStreamOver is the cause of a stream's orderly end, with the status OK.
var errStreamOver = errors.New("the stream is over")

// statusOf turns a refusal into the status that the stream ends with.
func (r *refusal) status() error {
	switch r.why {
	case refusedConflict:
		return status.Error(codes.AlreadyExists, r.text)
	case refusedFull:
		return status.Error(codes.ResourceExhausted, r.text)
	default:
		return status.Error(codes.InvalidArgument, r.text)
	}
}

// unknownMessage reports a message that an actor has no case for: a mistake of ours.
func unknownMessage(log *zap.Logger, m any) {
	log.Error("message without a handler", zap.String("type", fmt.Sprintf("%T", m)))
}

// lossOf says in words how a registration stream broke.
func lossOf(err error) string {
	switch s := status.Convert(err); s.Code() {
	case codes.Canceled:
		return "the connection is gone" // gRPC says only that the stream's context is.
	default:
		return "the connection was lost: " + s.Message()
	}
}
