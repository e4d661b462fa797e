package agent

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// oomCurve is the resident memory of a node that the kernel ended for it, in MB every two seconds. The limit of its
// control group is 1700 MB.
var oomCurve = []uint64{49, 100, 187, 313, 319, 333, 420, 422, 473, 437, 464, 564, 617, 733, 974, 1103, 1334, 1364, 1554, 1720, 1721, 1721, 1721}

var rampStart = time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)

// rampScript gives a state one reading each two seconds, and returns at which seconds it captured. Each
// capture takes took.
func rampScript(limit uint64, took time.Duration, result captureResult, readings ...uint64) (at []string) {
	s := newRampState()
	var ends time.Time
	for i, r := range readings {
		now := rampStart.Add(time.Duration(i) * rampInterval)
		if !ends.IsZero() && !now.Before(ends) {
			s.captured(result, "it did not answer", now)
			ends = time.Time{}
		}
		s.due(now)
		var m *nodeMemory
		if r > 0 {
			m = &nodeMemory{r << 20, limit << 20}
		}
		for _, e := range s.read(m, now) {
			if c, is := e.(captureRamp); is {
				at = append(at, fmt.Sprintf("%d s: %d (ramp of %d s)", int(now.Sub(rampStart).Seconds()), c.memory.resident>>20, int(c.began.Sub(rampStart).Seconds())))
				ends = now.Add(took)
			}
		}
	}
	return at
}

// steady returns so many readings of the same memory.
func steady(n int, memory uint64) []uint64 {
	all := make([]uint64, n)
	for i := range all {
		all[i] = memory
	}
	return all
}

func join(parts ...[]uint64) (all []uint64) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestRampBeforeAnOOMKill(t *testing.T) {
	require.Equal(t, []string{"30 s: 1103 (ramp of 30 s)"}, rampScript(1700, 3*time.Second, captureWhole, oomCurve...))
}

func TestRamps(t *testing.T) {
	f := func(readings []uint64, want ...string) {
		t.Helper()
		require.Equal(t, want, rampScript(1000, time.Second, captureWhole, readings...))
	}
	f(steady(100, 599))
	f(steady(100, 600), "0 s: 600 (ramp of 0 s)")
	f(join(steady(20, 600), steady(20, 649), steady(20, 650), steady(20, 699)), "0 s: 600 (ramp of 0 s)", "80 s: 650 (ramp of 0 s)")
	// Half a minute goes by between two captures, however fast it grows.
	f(join(steady(1, 600), steady(5, 700), steady(20, 800)), "0 s: 600 (ramp of 0 s)", "30 s: 800 (ramp of 0 s)")
	// It goes on until it is under half of the limit.
	f(join(steady(20, 600), steady(20, 500), steady(20, 640), steady(20, 499), steady(20, 600)), "0 s: 600 (ramp of 0 s)", "160 s: 600 (ramp of 160 s)")
	// What is not known ends no ramp.
	f(join(steady(20, 600), steady(20, 0), steady(20, 640), steady(20, 650)), "0 s: 600 (ramp of 0 s)", "120 s: 650 (ramp of 0 s)")
	f(join(steady(20, 0), steady(3, 990)), "40 s: 990 (ramp of 40 s)")
}

// A capture is not tried again, and none begins beside one that hangs.
func TestRampCapturesThatFail(t *testing.T) {
	require.Equal(t, []string{"0 s: 600 (ramp of 0 s)"}, rampScript(1000, time.Second, captureFailed, steady(200, 600)...))
	require.Equal(t, []string{"0 s: 600 (ramp of 0 s)"}, rampScript(1000, time.Hour, captureWhole, join(steady(20, 600), steady(200, 900))...))

	s := newRampState()
	require.Len(t, s.read(&nodeMemory{700, 1000}, rampStart), 1)
	require.NotContains(t, s.due(rampStart.Add(captureWait-time.Second)), logRamp{})
	var logged []string
	for i := range 3 {
		for _, e := range s.due(rampStart.Add(captureWait + time.Duration(i)*rampInterval)) {
			if l, is := e.(logRamp); is {
				logged = append(logged, l.text)
			}
		}
	}
	require.Len(t, logged, 1)
	require.Contains(t, logged[0], "hangs")
}

// A node whose memory goes up and down all day has a few captures an hour, and every new high of it.
func TestRampsWithoutAnEnd(t *testing.T) {
	var day []uint64
	for range 24 * 60 {
		day = append(day, join(steady(15, 450), steady(15, 650))...)
	}
	at := rampScript(1000, time.Second, captureWhole, day...)
	require.LessOrEqual(t, len(at), 24*maxRamps+1)
	require.GreaterOrEqual(t, len(at), 24*maxRamps-maxRamps)

	first := join(steady(15, 450), steady(15, 650))
	var hour []uint64
	for range 10 {
		hour = append(hour, first...)
	}
	at = rampScript(1000, time.Second, captureWhole, join(hour, steady(15, 450), steady(15, 700))...)
	require.Len(t, at, maxRamps+1)
	require.Contains(t, at[maxRamps], ": 700")
}
