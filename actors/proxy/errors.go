package proxy

import (
	"context"
	"errors"
	"fmt"

	"fodc/actors"
	"fodc/messages/wire"

	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The statuses with which the proxy ends streams.
var (
	errStopping  = status.Error(codes.Unavailable, wire.StoppingText)
	errFailed    = status.Error(codes.Internal, "the session failed in the proxy: register anew")
	errNoAnswer  = status.Error(codes.Unavailable, "the proxy's registry does not answer: try again")
	errReplaced  = status.Error(codes.Aborted, "replaced by a newer registration of the same node")
	errNewStream = status.Error(codes.Aborted, "replaced by a newer stream of the same kind and session")
	errRemoved   = status.Error(codes.Unavailable, "no heartbeat for longer than the cleanup timeout")
	errAbandoned = status.Error(codes.Canceled, "the registration was given up")
	errLost      = status.Error(codes.Unavailable, "the session is over")
	errStuck     = status.Error(codes.ResourceExhausted, "the agent does not read what it is sent")
	errBroken    = status.Error(codes.InvalidArgument, "a frame that is no message of this stream")
	errFlood     = status.Error(codes.ResourceExhausted, "the agent sends answers that nobody asked for")
	errUnknownID = status.Error(codes.NotFound, "no session has this agent_id: register anew")
	errForeign   = status.Error(codes.PermissionDenied, "the session of this agent_id was registered on another connection: register on this one; a load balancer in between must pass connections on, not distribute their streams")
	errEvicted   = status.Error(codes.Unavailable, "nothing came after the registration, and another node needed the place: register anew")
	errDisplaced = status.Error(codes.PermissionDenied, "an agent with a certificate has the node id or the pod name")
	errNoID      = status.Error(codes.Unauthenticated, "the metadata has no agent_id")
	errSilent    = status.Error(codes.DeadlineExceeded, "no registration came")
)

// whyFailed is why a session ended that has panicked, or whose registry has.
const whyFailed = "the session failed in the proxy"

// errStreamOver is the cause of a stream's orderly end, with the status OK.
var errStreamOver = errors.New("the stream is over")

// status returns the status with which the registration stream ends.
func (r *rejection) status() error {
	switch r.reason {
	case rejectedConflict:
		return status.Error(codes.AlreadyExists, r.text)
	case rejectedCertificate, rejectedUnverified:
		return status.Error(codes.PermissionDenied, r.text)
	case rejectedToken:
		return status.Error(codes.Unauthenticated, r.text)
	case rejectedFull, rejectedRate:
		return status.Error(codes.ResourceExhausted, r.text)
	default:
		return status.Error(codes.InvalidArgument, r.text)
	}
}

// rejectionOf returns why a registration does not become a session. It is false for a peer that has closed the stream
// before its first frame: that is not counted.
func rejectionOf(err error) (why rejectionReason, counts bool) {
	var rejected *rejection
	switch {
	case errors.As(err, &rejected):
		return rejected.reason, true
	case errors.Is(err, errStopping):
		return rejectedStopping, true
	case errors.Is(err, errSilent):
		return rejectedSilent, true
	case errors.Is(err, actors.ErrGone), errors.Is(err, context.DeadlineExceeded):
		return rejectedFailed, true
	}
	return "", false
}

// registrationFailed counts a registration that did not become a session.
func (c *counters) registrationFailed(err error) {
	if why, counts := rejectionOf(err); counts {
		c.registrationRejected(why)
	}
}

// checked counts a registration that was only tried.
func (c *counters) checked(err error) {
	if err == nil {
		c.checkAccepted()
	} else if why, counts := rejectionOf(err); counts {
		c.checkRejected(why)
	}
}

// streamRejectionOf returns the reason of the error with which a stream was rejected.
func streamRejectionOf(err error) streamRejection {
	switch {
	case errors.Is(err, errNoID):
		return streamWithoutKey
	case errors.Is(err, errUnknownID):
		return streamUnknownKey
	case errors.Is(err, errForeign):
		return streamOtherConnection
	case errors.Is(err, errStopping):
		return streamStopping
	case status.Code(err) == codes.ResourceExhausted:
		return streamTooMany
	default:
		return streamFailed
	}
}

// endReasonOf returns the reason for which a session ends with the error.
func endReasonOf(err error) endReason {
	switch {
	case errors.As(err, new(*revocation)):
		return endedRevoked
	case errors.Is(err, errReplaced), errors.Is(err, errDisplaced):
		return endedReplaced
	case errors.Is(err, errRemoved), errors.Is(err, errEvicted):
		return endedSilent
	case errors.Is(err, errAbandoned):
		return endedAbandoned
	case errors.Is(err, errStuck):
		return endedUnread
	case errors.Is(err, errFlood):
		return endedFlood
	case errors.Is(err, errStopping):
		return endedStopping
	default:
		return endedLost
	}
}

// unknownMessage logs a message that an actor has no case for. That is a bug.
func unknownMessage(log *zap.Logger, m any) {
	log.Error("message without a handler", zap.String("type", fmt.Sprintf("%T", m)))
}

// lossReason says in words how a registration stream broke.
func lossReason(err error) string {
	s := status.Convert(err)
	if s.Code() == codes.Canceled || errors.Is(err, context.Canceled) {
		return "the connection is gone" // gRPC says only that the stream's context is.
	}
	return "the connection was lost: " + s.Message()
}
