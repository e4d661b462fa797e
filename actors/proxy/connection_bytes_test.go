package proxy

import (
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// sendHalves begins a message of almost 4 MiB on each of so many streams, sends 64 KiB of it, and returns how much
// the connection took.
func sendHalves(c net.Conn, streams int) (sent int) {
	part := make([]byte, 16<<10)
	hello := append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), http2Frame(frameSettings, 0, 0, nil)...)
	if _, err := c.Write(hello); err != nil {
		return 0
	}
	for id := uint32(1); id < uint32(2*streams); id += 2 {
		begin := http2Frame(frameHeaders, flagEndHead, id, callHeaders("RegisterAgent"))
		begin = append(begin, http2Frame(0, 0, id, []byte{0, 0, 0x3f, 0xff, 0xff})...)
		for i := range 4 {
			frame := http2Frame(0, 0, id, part)
			if i == 0 {
				frame = append(begin, frame...)
			}
			n, err := c.Write(frame)
			if sent += n; err != nil {
				return sent
			}
		}
	}
	return sent
}

// sendTinyFrames begins a message as sendHalves does, on each stream that a connection may have, and sends more of it in
// frames of one byte.
func sendTinyFrames(c net.Conn, frames int) {
	b := append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), http2Frame(frameSettings, 0, 0, nil)...)
	for id := uint32(1); id < 2*maxStreamsPerConnection; id += 2 {
		b = append(b, http2Frame(frameHeaders, flagEndHead, id, callHeaders("RegisterAgent"))...)
		b = append(b, http2Frame(0, 0, id, []byte{0, 0, 0x3f, 0xff, 0xff})...)
		for range frames / maxStreamsPerConnection {
			b = append(b, http2Frame(0, 0, id, []byte{1})...)
		}
	}
	_, _ = c.Write(b)
}

// Frames of one byte take gRPC much more memory than what they have on the wire.
func TestTinyFramesAreLimited(t *testing.T) {
	const strangers, most = 200, 64 << 20
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		serveWorld(t, sys, testConfig, 4<<10, func(t *testing.T, w *world) {
			before := heapAndStacks()
			for range strangers {
				c, err := w.net.Dial()
				require.NoError(t, err)
				defer c.Close()
				go func() { _, _ = io.Copy(io.Discard, c) }()
				go sendTinyFrames(c, 3500) // less than one may send
			}
			synctest.Wait()
			more, closed := heapAndStacks()-before, w.counts().ConnectionsClosed["bytes"]
			t.Logf("%d bytes more, %d connections closed", more, closed)
			require.Less(t, more, int64(most))
			require.NotZero(t, closed)
		})
	})
}

// The first messages of connections without a session take bounded memory, before it is known which of them are slow.
func TestFirstFramesAreLimitedTogether(t *testing.T) {
	const strangers, slack = 200, 1 << 20
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(baseline("p1"), always(1))
		a.beat()
		var held, all atomic.Int64
		for range strangers {
			c, err := w.net.Dial()
			require.NoError(t, err)
			defer c.Close()
			var sent atomic.Int64
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				_, _ = io.Copy(io.Discard, c)
			}()
			go func() {
				sent.Store(int64(sendHalves(c, 10)))
				held.Add(sent.Load())
				all.Add(sent.Load())
				<-gone
				held.Add(-sent.Load())
			}()
		}
		synctest.Wait()
		t.Logf("%d bytes sent, %d held", all.Load(), held.Load())
		require.Less(t, held.Load(), int64(allConnectionsBytes+slack))
		require.Greater(t, all.Load(), int64(2*allConnectionsBytes))
		require.NotZero(t, w.counts().ConnectionsClosed["bytes"])
		require.Equal(t, map[string]any{"p1": 1.}, shown(w.collect(messages.Query{})))
	})
}

// Frames are counted when their heads are whole, wherever reads end.
func TestFramesAreCounted(t *testing.T) {
	sent := append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), http2Frame(frameSettings, 0, 0, nil)...)
	for kind, length := range []int{0, 1, 300, 0, 70_000, 1} { // 1 are headers, 4 are settings
		sent = append(sent, http2Frame(byte(kind), 0, 1, make([]byte, length))...)
	}
	for _, size := range []int{1, 2, 3, 7, 9, 24, 100, 16 << 10, len(sent)} {
		f, frames := frameCounter{skip: prefaceBytes}, frameCounts{}
		for part := range slices.Chunk(sent, size) {
			n := f.count(part)
			frames = frameCounts{frames.all + n.all, frames.headers + n.headers, frames.settings + n.settings}
		}
		require.Equal(t, frameCounts{7, 1, 2}, frames, "in reads of %d bytes", size)
		require.Zero(t, f.skip)
	}
}

func TestBytesWithoutASessionAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestConnections()
		defer c.stop()
		agent, stranger := &trackedConn{ip: "10.0.0.1"}, &trackedConn{ip: "10.0.0.66"}
		c.accepted(agent)
		c.accepted(stranger)
		c.received(agent, connectionBytes, 0)
		c.received(stranger, connectionBytes, 0)
		require.False(t, agent.closed || stranger.closed)
		c.received(stranger, 1, 0)
		require.True(t, stranger.closed)
		c.received(stranger, 1, 0) // what was read at the same time
		c.registered(agent)
		c.received(agent, 100*connectionBytes, 0)
		c.unregistered(agent)
		c.received(agent, 100*connectionBytes, 0)
		require.False(t, agent.closed, "it was on its way")
		time.Sleep(6 * time.Second)
		c.received(agent, connectionBytes+1, 0)
		require.True(t, agent.closed)
		require.Equal(t, uint64(2), c.counters.counts().ConnectionsClosed["bytes"])
	})
}
