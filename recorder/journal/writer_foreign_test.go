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
