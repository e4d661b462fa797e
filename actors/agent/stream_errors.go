package agent

import (
	"errors"
	"io"
	"strings"

	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// sessionEndOf returns why a session ended, from the error of the attempt to connect or of
// the registration stream.
func sessionEndOf(err error) sessionEnd {
	if errors.Is(err, io.EOF) {
		return sessionEnd{why: "the proxy ended the stream"}
	}
	st, ok := status.FromError(err)
	if !ok {
		return sessionEnd{why: shortText(err.Error())}
	}
	return sessionEnd{
		why:       shortText(st.Code().String() + ": " + st.Message()),
		goingDown: st.Code() == codes.Unavailable && strings.HasSuffix(st.Message(), wire.StoppingText),
		// There is no status code for it: gRPC quotes the debug data of the GOAWAY frame.
		tooManyPings: strings.Contains(st.Message(), "too_many_pings"),
	}
}

// failureOf classifies the error of a channel. What is not permitted on the metrics stream is a session
// that the proxy does not know; another channel may be kept from the agent by what is in between.
func failureOf(of messages.Stream, err error) (streamFailure, sessionEnd) {
	end := sessionEndOf(err)
	switch status.Code(err) {
	case codes.NotFound:
		return sessionUnknown, end
	case codes.Unauthenticated, codes.PermissionDenied:
		if of == messages.StreamMetrics {
			return sessionUnknown, end
		}
		return streamUnserved, end
	case codes.Unimplemented:
		return streamUnserved, end
	default:
		return streamBroken, end
	}
}
