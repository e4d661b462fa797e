package telemetry

import (
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"
)

// round is a read of a process: the times of its threads.
type round map[int]threadTimes

func (q *runQueue) round(pid int, now round, complete bool) (waited, timeslices uint64) {
	q.begin(pid, 5)
	for thread := range q.threads {
		if _, lives := now[thread]; !lives {
			q.ended(thread)
		}
	}
	for thread, times := range now {
		q.read(thread, times)
	}
	q.end(complete)
	return q.total.waited, q.total.timeslices
}

func TestRunQueueSums(t *testing.T) {
	q := newRunQueue()
	f := func(wantWaited, wantTimeslices uint64, pid int, now round, complete bool) {
		t.Helper()
		waited, timeslices := q.round(pid, now, complete)
		require.Equal(t, []uint64{wantWaited, wantTimeslices}, []uint64{waited, timeslices})
	}
	f(0, 0, 1, round{1: {90, 100, 10}, 2: {90, 1000, 20}}, true) // what came before is not known wholly
	f(7, 2, 1, round{1: {95, 105, 11}, 2: {91, 1002, 21}}, true)
	f(17, 5, 1, round{1: {95, 105, 11}, 2: {91, 1002, 21}, 3: {1, 10, 3}}, true)  // a new thread
	f(20, 6, 1, round{1: {95, 108, 12}}, true)                                    // two have ended: what they waited stays
	f(24, 8, 1, round{1: {95, 108, 12}, 2: {1, 4, 2}}, true)                      // the id is used again
	f(29, 9, 1, round{1: {3, 5, 1}, 2: {1, 4, 2}}, true)                          // and within one interval
	f(29, 9, 1, round{1: {3, 5, 1}, 2: {1, 4, 2}}, false)                         // there are more
	f(29, 9, 1, round{1: {3, 5, 1}, 2: {1, 4, 2}, 4: {9e9, 9e9, 900}}, true)      // this one may have been there all the time
	f(30, 10, 1, round{1: {3, 5, 1}, 2: {1, 4, 2}, 4: {9e9, 9e9 + 1, 901}}, true) // but not any more
	f(0, 0, 2, round{1: {3, 5, 1}}, true)                                         // another process
	f(1, 1, 2, round{1: {3, 6, 2}}, true)
}

// The sums of a process never decrease, and never exceed what its threads waited.
func TestRunQueueSumsNeverDecrease(t *testing.T) {
	rng := rand.New(rand.NewSource(3))
	for range 200 {
		q, now := newRunQueue(), round{1: {}}
		var last, all uint64
		for range 50 {
			for range rng.Intn(4) {
				switch thread := 1 + rng.Intn(6); rng.Intn(3) {
				case 0:
					delete(now, thread)
				case 1:
					now[thread] = threadTimes{}
				}
			}
			for thread, times := range now {
				n := uint64(rng.Intn(5))
				all += n
				now[thread] = threadTimes{times.ran + n, times.waited + n, times.timeslices + n}
			}
			waited, timeslices := q.round(1, now, rng.Intn(4) > 0)
			require.GreaterOrEqual(t, waited, last)
			require.LessOrEqual(t, waited, all)
			require.Equal(t, waited, timeslices)
			last = waited
		}
	}
}
