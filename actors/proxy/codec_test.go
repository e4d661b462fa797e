package proxy

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// A frame that the transport delivers in several buffers, and then reuses, is copied whole.
func TestCodecKeepsAnswers(t *testing.T) {
	c := newCodec(nil)
	want := bytes.Repeat([]byte("0123456789"), 10_000)
	for _, cut := range []int{len(want), 16 << 10, 1000} {
		var data mem.BufferSlice
		for part := range slices.Chunk(want, cut) {
			b := mem.Copy(part, frameBuffers)
			data = append(data, b)
		}
		var f answerFrame
		require.NoError(t, c.Unmarshal(data, &f))
		data.Free()
		for range 100 { // whoever gets the buffers next
			b := mem.Copy(bytes.Repeat([]byte("x"), cut), frameBuffers)
			defer b.Free()
		}
		require.Equal(t, want, f.Bytes())
		f.free()
	}
}

func TestCodecReadsAllElse(t *testing.T) {
	c := newCodec(nil)
	want := &wire.RegisterAgentRequest{NodeId: "n1"}
	data, err := c.Marshal(want)
	require.NoError(t, err)
	got := &wire.RegisterAgentRequest{}
	require.NoError(t, c.Unmarshal(data, got))
	require.True(t, proto.Equal(want, got))
}

// A frame that cannot be decoded, outside a sample or in one, ends the metrics stream and fails
// the answer. The session goes on.
func TestBrokenFrames(t *testing.T) {
	for _, broken := range [][]byte{{0x00}, {0x0a, 0x02, 0x0a, 0x05}, {0x0a, 0x03, 0x0a, 0x01, 0xff}} {
		inWorld(t, testConfig, func(t *testing.T, w *world) {
			a := w.agent(columnar("n1"), func(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
				f := &wire.StreamMetricsRequest{RequestId: r.GetRequestId()}
				f.ProtoReflect().SetUnknown(broken)
				return []*wire.StreamMetricsRequest{f}
			})
			require.Equal(t, map[string]any{"n1": messages.MissingError}, shown(w.collect(messages.Query{})))
			synctest.Wait()
			require.ErrorContains(t, a.metrics.Context().Err(), "canceled")
			a.openMetrics(always(7))
			require.Equal(t, map[string]any{"n1": 7.0}, shown(w.collect(messages.Query{})))
		})
	}
}

// A heartbeat that cannot be decoded ends the session, and the status says so.
func TestBrokenHeartbeat(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.connect(columnar("n1"))
		beat := &wire.RegisterAgentRequest{}
		beat.ProtoReflect().SetUnknown([]byte{0x00})
		require.NoError(t, a.reg.Send(beat))
		_, err := a.reg.Recv()
		require.ErrorIs(t, err, errBroken)
		synctest.Wait()
		require.Contains(t, fmt.Sprint(w.ended("session")), "a heartbeat is no message")
	})
}
