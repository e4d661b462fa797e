package proxy

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// rawFrame is a frame as it was received. The last user calls free, once; the bytes must not
// be used after that. Without the call the garbage collector frees them.
type rawFrame struct{ buffer mem.Buffer }

// Bytes returns the frame. The caller must not change it.
func (f *rawFrame) Bytes() []byte { return f.buffer.ReadOnlyData() }

// SetBytes replaces the frame by b. Interceptors of tests use it.
func (f *rawFrame) SetBytes(b []byte) { f.buffer = mem.SliceBuffer(b) }

func (f *rawFrame) take(b mem.Buffer) { f.buffer = b }

func (f *rawFrame) free() { f.buffer.Free() }

// Frames that are decoded by the session's actor and not by the stream's reader: the
// goroutine of a reader would keep the stack that decoding needs as long as the stream lives.
type (
	heartbeatFrame struct{ rawFrame }
	answerFrame    struct{ rawFrame }
)

// codec passes the frames that a session decodes as they are, and counts the bytes of
// answers. All other messages it encodes and decodes as gRPC does.
type codec struct {
	encoding.CodecV2
	counters *counters
}

func newCodec(t *counters) codec { return codec{encoding.GetCodecV2(proto.Name), t} }

// frameBuffers has the sizes of answers. gRPC's own pool has none between 32 KiB and 1 MiB. A chunk of a
// profile has up to 1 MiB, and its frame somewhat more.
var frameBuffers = mem.NewTieredBufferPool(4<<10, 16<<10, 32<<10, 64<<10, 128<<10, 256<<10, 512<<10, 1<<20+8<<10, 4<<20)

// Unmarshal keeps a reference to data in a rawFrame only.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	switch f := v.(type) {
	case *answerFrame:
		c.counters.received(data.Len())
		f.take(data.MaterializeToBuffer(frameBuffers))
	case *heartbeatFrame:
		f.take(data.MaterializeToBuffer(frameBuffers))
	default:
		return c.CodecV2.Unmarshal(data, v)
	}
	return nil
}
