package modes

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

func TestShareOfMemory(t *testing.T) {
	limit, source, err := memoryLimit()
	require.NoError(t, err)
	share, err := shareOfMemory("x", 20)
	require.NoError(t, err)
	require.InEpsilon(t, 0.2*float64(limit), share, 0.001)
	_, err = shareOfMemory("x", 0)
	require.EqualError(t, err, fmt.Sprintf("--x 0 of %d bytes (%s) leaves nothing", limit, source))
}

// The flag bounds what is collected, and again what is read.
func TestShareOfAnswersArrives(t *testing.T) {
	c := defaultProxy
	c.MaxAnswersMemoryPercent = 3
	want, err := shareOfMemory("x", 3)
	require.NoError(t, err)
	cfg, err := c.actors()
	require.NoError(t, err)
	require.Equal(t, want, cfg.MaxAnswersBytes)
	p := &runningProxy{program: Program{Log: zap.NewNop()}}
	require.EqualValues(t, want, p.api(crashableSystem(), c, want).MaxInFlightBytes)
}
