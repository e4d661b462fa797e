//go:build linux && !race

package mask

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// timeOfThread is what the thread has had of a processor: other work of the machine is not in it.
func timeOfThread(t *testing.T) time.Duration {
	t.Helper()
	var at unix.Timespec
	require.NoError(t, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at))
	return time.Duration(at.Nano())
}

// The time for each byte of a hostile text does not grow with its length. Only a ratio of times of the processor counts,
// each the shortest of several: what disturbs a measurement makes it longer. With the race detector it would take a minute.
func TestHostileTextsTakeLinearTime(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const (
		factor    = 8
		maxGrowth = 4 // It is near 1, and near the factor where the time is quadratic.
		tries     = 50
	)
	took := func(text string) time.Duration {
		start := timeOfThread(t)
		maskAll(text)
		return timeOfThread(t) - start
	}
	// f repeats the text, and its tail behind that as often.
	f := func(text, tail string, size int) {
		t.Helper()
		of := func(size int) string {
			if tail == "" {
				return upTo(text, size)
			}
			return upTo(text, size/2) + upTo(tail, size/2)
		}
		short, long, growth := of(size), of(factor*size), 0.0
		onShort, onLong := took(short), took(long)
		for range tries {
			if growth = onLong.Seconds() / onShort.Seconds() / factor; growth <= maxGrowth {
				return
			}
			onShort, onLong = min(onShort, took(short)), min(onLong, took(long))
		}
		assert.Failf(t, "The time grows with the length.", "by %.1f for each byte of %q and %q", growth, text, tail)
	}
	for _, h := range hostile {
		f(h, "", 2048)
		for _, tail := range []string{",", "]", "1"} { // The end of a value is searched backwards.
			f(h, tail, 2048)
		}
	}
	f("sshpass -v ", "", 1<<15) // A program by itself costs little.
	f("mysql -pa ", "", 1<<15)
	f("mysql -pa ", "mysql ", 1<<15)
	for _, long := range []string{"-u=1,", "user=1,", "token=a{", `"--token","`} { // A value may be as long as the text.
		f(long, "", 1<<15)
	}
}
