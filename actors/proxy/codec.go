package proxy

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// rawFrame is a frame as it came. Its bytes are there until free is called, once, by
// whoever has it last; if nobody does, they are garbage.
type rawFrame struct{ buffer mem.Buffer }

// Bytes returns the frame, which must not be changed.
func (f *rawFrame) Bytes() []byte { return f.buffer.ReadOnlyData() }

// SetBytes is for interceptors: to a stream's reader, b is what has come.
func (f *rawFrame) SetBytes(b []byte) { f.buffer = mem.SliceBuffer(b) }

func (f *rawFrame) take(b mem.Buffer) { f.buffer = b }

func (f *rawFrame) free() { f.buffer.Free() }

// Frames that their session reads: a reader that parsed them would keep the stack that
// this took, as long as the stream lives.
type (
	heartbeatFrame struct{ rawFrame }
	answerFrame    struct{ rawFrame }
)

// codec leaves the frames that a session reads as they are, and counts the bytes of
// answers. All else it reads and writes as gRPC does.
type codec struct {
	encoding.CodecV2
	tally *tally
}

func newCodec(t *tally) codec { return codec{encoding.GetCodecV2(proto.Name), t} }

// frameBuffers are of the sizes that answers come in: gRPC's own pool has none between
// 32 KiB and 1 MiB.
var frameBuffers = newFrameBuffers()

func newFrameBuffers() mem.BufferPool {
	pool, err := mem.NewBinaryTieredBufferPool(12, 14, 15, 16, 17, 18, 19, 20, 22)
	if err != nil {
		panic(err) // The sizes are wrong, whoever runs it.
	}
	return pool
}

// Unmarshal keeps nothing of data but in a rawFrame.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	switch f := v.(type) {
	case *answerFrame:
		c.tally.received(data.Len())
		f.take(data.MaterializeToBuffer(frameBuffers))
	case *heartbeatFrame:
		f.take(data.MaterializeToBuffer(frameBuffers))
	default:
		return c.CodecV2.Unmarshal(data, v)
	}
	return nil
}
