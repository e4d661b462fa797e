package agent

import (
	"errors"
	"io"
	"strings"

	"fodc/messages/wire"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// endOf says what the error of an attempt or of the registration stream means.
func endOf(err error) sessionEnd {
	if errors.Is(err, io.EOF) {
		return sessionEnd{why: "the proxy ended the stream"}
	}
	st, ok := status.FromError(err)
	if !ok {
		return sessionEnd{why: err.Error()}
	}
	return sessionEnd{
		why:       st.Code().String() + ": " + st.Message(),
		goingDown: st.Code() == codes.Unavailable && strings.HasSuffix(st.Message(), wire.StoppingText),
		// gRPC has this from the debug data of the GOAWAY frame; there is no code for it.
		tooManyPings: strings.Contains(st.Message(), "too_many_pings"),
	}
}

// faultOf says what the error of a metrics stream means for the session.
func faultOf(err error) (streamFault, sessionEnd) {
	end := endOf(err)
	switch status.Code(err) {
	case codes.NotFound, codes.Unauthenticated, codes.PermissionDenied:
		return faultSessionUnknown, end
	case codes.Unimplemented:
		return faultUnimplemented, end
	default:
		return faultBroken, end
	}
}
