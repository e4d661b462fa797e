package proxy

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// answerFrame is a frame of a metrics stream as it came. Its bytes are there until free
// is called, once, by whoever has it last; if nobody does, they are garbage.
type answerFrame struct{ buffer mem.Buffer }

// Bytes returns the frame, which must not be changed.
func (f *answerFrame) Bytes() []byte { return f.buffer.ReadOnlyData() }

// SetBytes is for interceptors: to a stream's reader, b is what has come.
func (f *answerFrame) SetBytes(b []byte) { f.buffer = mem.SliceBuffer(b) }

func (f *answerFrame) free() { f.buffer.Free() }

// codec leaves frames of metrics streams as they are, for their session to read, and
// counts their bytes. All else it reads and writes as gRPC does.
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

// Unmarshal keeps nothing of data but in an answerFrame.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if f, ok := v.(*answerFrame); ok {
		c.tally.received(data.Len())
		f.buffer = data.MaterializeToBuffer(frameBuffers)
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}
