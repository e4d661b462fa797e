package proxy

import (
	"errors"
	"io"

	"fodc/messages/wire"

	"google.golang.org/grpc"
)

// heldStream is a stream that the proxy does not serve: it is read and dropped, and
// ends with the session that it belongs to.
type heldStream = stream[*wire.HeldResponse]

// drain reads and drops what comes, until the peer half-closes the stream (nil) or
// it breaks.
func drain(s grpc.ServerStream) error {
	for {
		var dropped wire.HeldRequest
		if err := s.RecvMsg(&dropped); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
