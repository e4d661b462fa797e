package proxy

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stopTakes stops the proxy, and returns how long that took.
func (w *world) stopTakes() time.Duration {
	ctx, cancel := context.WithTimeout(w.T.Context(), 2*time.Second)
	defer cancel()
	begin := time.Now()
	assert.NoError(w.T, w.proxy.Stop(ctx))
	return time.Since(begin)
}

func TestStopWithoutConnectionsIsImmediate(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(columnar("n1"), never)
		synctest.Wait()
		require.Zero(t, w.stopTakes())
	})
}

// gRPC's server would wait for the handshake's timeout.
func TestStopEndsConnectionsInTheirHandshake(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		conn, err := w.net.Dial()
		require.NoError(t, err)
		defer conn.Close()
		read := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, conn)
			read <- err
		}()
		time.Sleep(handshakeTimeout / 2)
		require.Equal(t, connectionsGrace, w.stopTakes())
		<-read
	})
}
