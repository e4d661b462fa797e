package modes

import (
	"testing"

	"fodc/actors"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A proxy without a directory loses its incidents when it ends, and says so once.
func TestProxySaysThatIncidentsAreInMemory(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		core, logs := observer.New(zap.InfoLevel)
		c := defaultProxy
		c.GRPCListenAddr, c.HTTPListenAddr, c.StorageDir = "127.0.0.1:0", "127.0.0.1:0", dir
		sys := actors.NewSystem(zap.NewNop())
		p, err := startProxy(sys, c, Program{Log: zap.New(core)}, false)
		require.NoError(t, err)
		said := logs.Filter(func(e observer.LoggedEntry) bool { return e.Message == inMemoryOnly }).Len()
		require.Equal(t, dir == "", said == 1, "%q: %d", dir, said)
		p.abandon()
		sys.Shutdown()
	}
}
