package messages

import "time"

const (
	// MaxYield is how long work of queries waits for pages in one go.
	MaxYield = 100 * time.Millisecond
	// MaxPrecedence is how long a page goes before queries: one that takes longer waits for slow agents or
	// for a slow client, or is large.
	MaxPrecedence = 500 * time.Millisecond
)

// Yielding decides for work of a query when it waits for pages that go before it. It waits for at most
// MaxYield in one go, and then goes on for as long as it has waited: however many pages there are, it
// takes no more than twice its time. The zero value is ready.
type Yielding struct {
	// since is when the wait began that has not ended; zero: there is none.
	since time.Time
	// next is when the work may wait again.
	next time.Time
}

// Until returns until when the work waits at most, given whether there are pages that go first. It is
// zero if the work goes on.
func (y *Yielding) Until(pages bool, now time.Time) time.Time {
	end := y.since.Add(MaxYield)
	switch {
	case y.since.IsZero():
		if !pages || now.Before(y.next) {
			return time.Time{}
		}
		y.since = now
		return now.Add(MaxYield)
	case pages && now.Before(end):
		return end
	default:
		y.next = now.Add(now.Sub(y.since))
		y.since = time.Time{}
		return time.Time{}
	}
}
