package proxy

import (
	"sync/atomic"
	"time"
)

// pagesAhead is what collections that yield know of those that do not. The collector sets it. It is
// safe for concurrent use: a message would wait behind the answers in a mailbox.
type pagesAhead struct {
	until atomic.Int64 // in unix nanoseconds; 0: there are none
}

// set says until when there are some; zero: there are none. ended says that there were some before.
func (p *pagesAhead) set(until time.Time) (ended bool) {
	if until.IsZero() {
		return p.until.Swap(0) != 0
	}
	p.until.Store(until.UnixNano())
	return false
}

func (p *pagesAhead) isAhead(now time.Time) bool { return now.UnixNano() < p.until.Load() }
