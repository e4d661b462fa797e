package journal_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the writer itself writes between two looks at the free space never takes what must be free.
func TestOwnWritesLeaveFreeSpace(t *testing.T) {
	k := newKit(t)
	k.cfg.MinFree = 0.25
	k.restart()
	const total = 400 << 10
	k.disk.SetSpace(total, 0)
	for removed := uint64(0); removed < 10; removed = k.writer.Stats().Removed {
		require.NoError(t, k.append(200))
		free, _, err := k.disk.Space()
		require.NoError(t, err)
		require.GreaterOrEqual(t, free, uint64(total/4))
		k.now = k.now.Add(time.Millisecond)
	}
	require.Greater(t, k.disk.Total(), int64(total/2))
}
