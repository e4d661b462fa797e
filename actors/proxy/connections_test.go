package proxy

import (
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// How far a connection gets that never registers.
const (
	goesSilent  = iota // it says nothing
	goesGreet          // it greets as HTTP/2 does, and opens no stream
	goesOpen           // it opens a registration stream, and sends no frame on it
	goesUnknown        // it opens a metrics stream of nobody
	goKinds
)

const (
	frameHeaders  = 1
	frameSettings = 4
	framePing     = 6
	flagAck       = 1
	flagEndStream = 1
	flagEndHead   = 4
)

// http2Frame is a frame as RFC 9113 lays it out.
func http2Frame(kind, flags byte, stream uint32, payload []byte) []byte {
	f := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	return append(binary.BigEndian.AppendUint32(f, stream), payload...)
}

// callHeaders are the headers that open a stream, each as a literal without indexing.
func callHeaders(method string) []byte {
	var b []byte
	for _, h := range [][2]string{{":method", "POST"}, {":scheme", "http"},
		{":path", "/banyandb.fodc.v1.FODCService/" + method}, {":authority", "proxy"},
		{"content-type", "application/grpc"}, {"te", "trailers"}} {
		b = append(append(b, 0, byte(len(h[0]))), h[0]...)
		b = append(append(b, byte(len(h[1]))), h[1]...)
	}
	return b
}

// goAsFarAs speaks HTTP/2 by hand: a gRPC client would take more memory than the proxy.
// It answers pings, as one that is idle does, and counts when the proxy closes the connection.
func goAsFarAs(kind int, c net.Conn, ended *atomic.Int64) {
	if kind != goesSilent {
		hello := append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), http2Frame(frameSettings, 0, 0, nil)...)
		switch kind {
		case goesOpen:
			hello = append(hello, http2Frame(frameHeaders, flagEndHead, 1, callHeaders("RegisterAgent"))...)
		case goesUnknown:
			hello = append(hello, http2Frame(frameHeaders, flagEndHead, 1, callHeaders("StreamMetrics"))...)
		}
		_, _ = c.Write(hello)
	}
	for head := make([]byte, 9); ; {
		if _, err := io.ReadFull(c, head); err != nil {
			ended.Add(1)
			return
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(c, payload); err != nil {
			ended.Add(1)
			return
		}
		if head[4]&flagAck == 0 && (head[3] == frameSettings || head[3] == framePing) {
			if head[3] == frameSettings {
				payload = nil
			}
			_, _ = c.Write(http2Frame(head[3], flagAck, 0, payload))
		}
	}
}

// Connections that never register cost little, delay nobody, and are closed.
func TestConnectionsThatNeverRegister(t *testing.T) {
	const (
		connections = 5000
		// bytesEach is what one may cost here: 16 KiB are gRPC's buffer for reading, and 16 KiB
		// are the test's.
		bytesEach = 80 << 10
	)
	cfg := testConfig
	cfg.Limits.MaxAgents = connections
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		serveWorld(t, sys, cfg, 4<<10, func(t *testing.T, w *world) {
			a := w.agent(columnar("n1"), always(1))
			a.beat()
			synctest.Wait()

			before := heapAndStacks()
			var ended atomic.Int64
			for i := range connections {
				c, err := w.net.Dial()
				require.NoError(t, err)
				defer c.Close()
				go goAsFarAs(i%goKinds, c, &ended)
			}
			synctest.Wait()
			each := (heapAndStacks() - before) / connections
			t.Logf("%d bytes a connection", each)
			require.Less(t, each, int64(bytesEach))
			require.Zero(t, ended.Load())

			start := time.Now()
			require.Equal(t, map[string]any{"n1": 1.}, shown(w.collect(messages.Query{})))
			w.connect(columnar("n2"))
			require.Zero(t, time.Since(start), "others are served meanwhile")

			const goodbye = 2 * time.Second // gRPC lets a client read that it is sent away
			time.Sleep(10*time.Second + goodbye)
			synctest.Wait()
			require.EqualValues(t, connections-maxSlowFirstFrames, ended.Load(), "all but those whose stream has just been ended")
			time.Sleep(10 * time.Second)
			synctest.Wait()
			require.EqualValues(t, connections, ended.Load())
			require.Equal(t, map[string]messages.Status{"n1": "online", "n2": "online"}, w.statuses())
			require.Equal(t, map[string]any{"n1": 1., "n2": messages.MissingUnconnected}, shown(w.collect(messages.Query{})))
		})
	})
}

func heapAndStacks() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
