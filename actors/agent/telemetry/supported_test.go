package telemetry

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSupported(t *testing.T) {
	f := func(c Config, want bool) {
		t.Helper()
		err := c.Supported()
		require.Equal(t, want, err == nil, "%v", err)
		if !want {
			require.ErrorIs(t, err, errors.ErrUnsupported)
			require.ErrorContains(t, err, c.System)
		}
	}
	f(Config{System: "linux"}, true)
	f(Config{System: "darwin"}, false)
	f(Config{System: "windows"}, false)
	f(Config{System: "windows", Root: "testdata/v2"}, true)
	require.Equal(t, Config{}.Supported(), Supported())
}

func TestOwnProcess(t *testing.T) {
	before, err := OwnCPUTime()
	require.NoError(t, err)
	require.Positive(t, before)
	for deadline := time.Now().Add(time.Minute); ; {
		now, err := OwnCPUTime()
		require.NoError(t, err)
		if now > before {
			break
		}
		require.True(t, time.Now().Before(deadline), "it counts on")
	}
	require.InDelta(t, time.Now().Unix(), OwnStart(), 3600)
}
