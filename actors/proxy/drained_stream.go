package proxy

import (
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// drainedStream is a stream that the proxy does not serve. Its frames are read and discarded,
// and it ends with its session. It must not be rejected: an agent of the field would then
// close all of its streams and register again.
type drainedStream = stream[*emptypb.Empty]

// drain reads and discards frames until the peer half-closes the stream, and returns nil then,
// or until the stream breaks.
func drain(s grpc.ServerStream) error {
	for {
		var discarded emptypb.Empty
		if err := s.RecvMsg(&discarded); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
