package messages

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTooManyAsked(t *testing.T) {
	err := TooManyAsked([]AskedIncident{{"A", 90 * time.Second}, {"B", 500 * time.Millisecond}}, 2)
	require.EqualError(t, err, "2 incidents that were asked for are open, at most 2 may be, and the first one ends in 1s: try again then, or use the evidence of these: A, B")
	require.Equal(t, time.Second, err.After)
	require.Equal(t, time.Second, TooManyAsked([]AskedIncident{{"A", -time.Minute}}, 1).After)
	err = TooManyAskedInAnHour(60, 60, 10*time.Minute)
	require.EqualError(t, err, "60 incidents were asked for within an hour, at most 60 may be: try again in 50m0s")
	require.Equal(t, 50*time.Minute, err.After)
}
