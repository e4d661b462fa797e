package modes

import (
	"testing"

	"github.com/prometheus/procfs"
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
	require.Positive(t, u.CPUSeconds)
	// As the kernel says it in another file, in hundredths of a second.
	p, err := procfs.Self()
	require.NoError(t, err)
	stat, err := p.Stat()
	require.NoError(t, err)
	require.InDelta(t, stat.CPUTime(), u.CPUSeconds, 1)
	require.InEpsilon(t, stat.ResidentMemory(), u.ResidentBytes, 0.5)
}
