package proxy

import (
	"bytes"
	"testing"
	"testing/synctest"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

const hello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// refusedStreams opens streams that gRPC refuses by itself: their content type is none of its own. It is sent once, and named by its index
// then, so a stream has ten bytes; the text with which it is refused has 16 KiB.
func refusedStreams(first uint32, streams int) (frames []byte) {
	const contentType, literal, newestIndex = "content-type", 0x40, 0x80 | 62
	value := bytes.Repeat([]byte{0x80}, 4000)
	block := append([]byte{literal, byte(len(contentType))}, contentType...)
	block = append(block, 0x7f, byte((len(value)-0x7f)&0x7f|0x80), byte((len(value)-0x7f)>>7))
	block = append(block, value...)
	for i := range streams {
		frames = append(frames, http2Frame(frameHeaders, flagEndHead|flagEndStream, first+uint32(2*i), block)...)
		block = []byte{newestIndex}
	}
	return frames
}

// What gRPC answers by itself, to peers that do not read, takes bounded memory.
func TestUnreadRefusalsAreLimited(t *testing.T) {
	const strangers, streams, most = 30, 200, 64 << 20
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		serveWorld(t, sys, testConfig, 4<<10, func(t *testing.T, w *world) {
			before := heapAndStacks()
			for range strangers {
				c, err := w.net.Dial()
				require.NoError(t, err)
				defer c.Close()
				go func() {
					_, _ = c.Write(append([]byte(hello), http2Frame(frameSettings, 0, 0, nil)...))
					_, _ = c.Write(refusedStreams(1, streams))
				}()
			}
			synctest.Wait()
			more, closed := heapAndStacks()-before, w.counts().ConnectionsClosed["bytes"]
			t.Logf("%d bytes more, %d connections closed", more, closed)
			require.Less(t, more, int64(most))
			require.EqualValues(t, strangers, closed)
		})
	})
}

// A connection with a session may open no more streams than it may if gRPC refuses them, and send no more settings.
func TestUnreadAnswersOfASessionAreLimited(t *testing.T) {
	settings := bytes.Repeat(http2Frame(frameSettings, 0, 0, bytes.Repeat([]byte{0, 1, 0, 0, 16, 0}, 2000)), 2*streamBurst)
	f := func(frames []byte) {
		t.Helper()
		inWorld(t, testConfig, func(t *testing.T, w *world) {
			a := w.agent(baseline("p1"), always(1))
			a.beat()
			c, err := w.net.Dial()
			require.NoError(t, err)
			defer c.Close()
			message, err := proto.Marshal(columnar("n2"))
			require.NoError(t, err)
			register := append([]byte(hello), http2Frame(frameSettings, 0, 0, nil)...)
			register = append(register, http2Frame(frameHeaders, flagEndHead, 1, callHeaders("RegisterAgent"))...)
			register = append(register, http2Frame(0, 0, 1, append([]byte{0, 0, 0, 0, byte(len(message))}, message...))...)
			_, err = c.Write(register)
			require.NoError(t, err)
			synctest.Wait()
			require.Equal(t, messages.StatusOnline, w.statuses()["n2"])
			go func() { _, _ = c.Write(frames) }()
			synctest.Wait()
			require.EqualValues(t, 1, w.counts().ConnectionsClosed["streams"])
			require.Equal(t, map[string]any{"p1": 1., "n2": messages.MissingUnconnected}, shown(w.collect(messages.Query{})))
		})
	}
	f(refusedStreams(3, 2*streamBurst))
	f(settings)
}
