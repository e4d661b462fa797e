package modes

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProcessUsage(t *testing.T) {
	u, err := processUsage()
	require.NoError(t, err)
	require.Greater(t, u.ResidentBytes, 1<<20)
	require.Greater(t, u.StartSeconds, 1e9)
	require.Positive(t, u.OpenFiles)
	require.GreaterOrEqual(t, u.MaxFiles, uint64(u.OpenFiles))
	require.Positive(t, u.Goroutines)
}
