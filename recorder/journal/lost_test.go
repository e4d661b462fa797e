package journal_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

// The runs of threeRuns are in the first minute, and in those that begin after 61 and 122 minutes.
func TestViewKnowsWhatItHasLost(t *testing.T) {
	const header, end = 40, -3
	f := func(name string, at int, from, to time.Duration, want bool) {
		t.Helper()
		k := threeRuns(t)
		if at < 0 {
			at += len(k.disk.Bytes(name))
		}
		k.disk.Flip(name, 8*at)
		k.restart()
		w := messages.Window{Start: begin.Add(from), End: begin.Add(to)}
		require.Equal(t, want, k.writer.View().Lacks(w), "%s to %s", from, to)
	}
	second := "00000002.segment"
	f(second, header, 0, 50*time.Second, false)
	f(second, header, 0, time.Minute, true)
	f(second, header, time.Hour, 2*time.Hour, true)
	f(second, header, 121*time.Minute, 3*time.Hour, true)
	f(second, header, 122*time.Minute, 3*time.Hour, false)
	f(second, end, 0, 61*time.Minute+40*time.Second, false)
	f(second, end, 0, 62*time.Minute, true)
	f(second, end, 122*time.Minute, 3*time.Hour, false)
	f("00000001.segment", header, -time.Hour, -time.Minute, true)
	f("00000003.segment", header, 3*time.Hour, 4*time.Hour, true)

	k := threeRuns(t)
	k.disk.Put("00000009.segment", nil) // It was created when the machine went down.
	k.disk.Put(second, k.disk.Bytes(second)[:len(k.disk.Bytes(second))-3])
	k.restart()
	require.False(t, k.writer.View().Lacks(messages.Window{Start: begin}), "a torn record was of no whole scrape")
}

// The damage of a closed segment is met when it is read. What is behind it comes back into memory:
// readers of the disk say that the segment lacks something.
func TestRecoverBehindDamageOfAClosedSegment(t *testing.T) {
	k := threeRuns(t)
	k.disk.Flip("00000001.segment", 8*len(k.disk.Bytes("00000001.segment"))/2)
	k.restart()
	scrapes, _, err := recovered(k, 18, 0)
	require.ErrorContains(t, err, "00000001.segment: damaged at offset")
	require.Len(t, scrapes, 12)
}
