package agent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClockSteps(t *testing.T) {
	var s clockState
	wall, running := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Duration(0)
	f := func(onWall, passed, step time.Duration, at time.Time) {
		t.Helper()
		wall, running = wall.Add(onWall), running+passed
		s.look(wall, running)
		require.Equal(t, step, s.step)
		require.Equal(t, at, s.at)
	}
	f(time.Hour, 0, 0, time.Time{}) // Nothing is known of the time before the first look.
	f(10*time.Second, 10*time.Second, 0, time.Time{})
	f(10*time.Second, 9500*time.Millisecond, 0, time.Time{})
	f(time.Hour, 10*time.Second, time.Hour-10*time.Second, wall.Add(time.Hour))
	ahead := wall
	f(10*time.Second, 10*time.Second, time.Hour-10*time.Second, ahead)
	f(-50*time.Second, 10*time.Second, -time.Minute, wall.Add(-50*time.Second))
	samples := s.samples()
	require.Equal(t, -60.0, samples[0].Value)
	require.Equal(t, float64(wall.Unix()), samples[1].Value)
}
