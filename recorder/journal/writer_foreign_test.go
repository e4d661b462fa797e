package journal_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A file whose name has the highest number there is keeps nobody from writing.
func TestSegmentNumberThatIsFarOut(t *testing.T) {
	k := newKit(t)
	k.disk.Put("9223372036854775807.segment", nil)
	k.restart()
	require.NoError(t, k.append(1))
	require.Contains(t, k.names(), "00000001.segment")
}

// Whoever removes segments may leave what pinned them. Others must not be pinned by it.
func TestPinWithoutItsSegment(t *testing.T) {
	k := newKit(t)
	require.NoError(t, k.append(1))
	require.NoError(t, k.writer.Pin(1))
	require.NoError(t, k.writer.Close(k.now))
	k.disk.Vanish("00000001.segment")
	k.restart()
	require.NoError(t, k.append(1))
	k.restart()
	require.Equal(t, []string{"00000001.pin", "00000002.segment"}, k.names())
	require.False(t, k.writer.View().Segments[0].Pinned)
}
