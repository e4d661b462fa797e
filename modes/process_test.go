package modes

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// What could not be found at first is looked for again.
func TestOnce(t *testing.T) {
	calls := 0
	f := memoize(func() (int, error) {
		if calls++; calls < 3 {
			return 0, errors.New("too many open files")
		}
		return calls, nil
	})
	for range 2 {
		_, err := f()
		require.Error(t, err)
	}
	for range 2 {
		v, err := f()
		require.NoError(t, err)
		require.Equal(t, 3, v)
	}
}
