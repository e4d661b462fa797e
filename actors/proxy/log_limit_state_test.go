package proxy

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// player plays events on a log limit, and records the lines that are written.
type player struct {
	limit   logLimit[int]
	now     time.Duration
	written []string
}

func (p *player) event(e logEvent, n int) {
	for i := range n {
		if p.limit.allow(e, i, time.Unix(0, 0).Add(p.now)) {
			p.written = append(p.written, fmt.Sprintf("%s: %s %d", p.now, e.name, i))
		}
	}
}

func (p *player) pass(d time.Duration) {
	p.now += d
	p.say(p.limit.due(time.Unix(0, 0).Add(p.now)))
}

func (p *player) say(all []summary[int]) {
	for _, s := range all {
		p.written = append(p.written, fmt.Sprintf("%s: %s %d, for %d", p.now, s.event.name, s.last, s.lines))
	}
}

func (p *player) require(t *testing.T, want ...string) {
	t.Helper()
	require.Equal(t, want, p.written)
	p.written = nil
}

func TestLogLimitOfStrangers(t *testing.T) {
	p, flood, other := &player{limit: logLimit[int]{}}, logEvent{"flood", 1}, logEvent{"other", 1}
	p.event(flood, 1000)
	p.event(other, 1)
	p.require(t, "0s: flood 0", "0s: other 0")
	p.pass(9999 * time.Millisecond)
	p.require(t)
	p.pass(time.Millisecond) // nothing more has come
	p.require(t, "10s: flood 999, for 999")
	for range 10 { // it goes on
		p.event(flood, 100)
		p.pass(time.Second)
	}
	p.require(t, "20s: flood 99, for 1000")
	p.event(flood, 1)
	p.pass(10 * time.Second)
	p.require(t, "30s: flood 0, for 1")
	p.event(flood, 1) // the flood is over
	p.require(t, "30s: flood 0")
	p.pass(time.Hour)
	p.require(t)
	require.Empty(t, p.limit)
}

// Lines of agents that come now and then are all written, and so are those of a hundred that
// are started at once.
func TestLogLimitOfAgents(t *testing.T) {
	p, e := &player{limit: logLimit[int]{}}, logEvent{"registered", 100}
	p.event(e, 100)
	require.Len(t, p.written, 100)
	p.event(e, 150)
	require.Len(t, p.written, 100)
	p.written = nil
	p.pass(10 * time.Second)
	p.require(t, "10s: registered 149, for 150")
	p.event(e, 20)
	p.pass(10 * time.Second)
	p.require(t, "20s: registered 19, for 20")
	for range 600 {
		p.event(e, 1)
		p.pass(time.Second)
	}
	require.Len(t, p.written, 600)
}

func TestLogLimitRemaining(t *testing.T) {
	p, e := &player{limit: logLimit[int]{}}, logEvent{"flood", 1}
	p.event(e, 3)
	p.event(logEvent{"other", 1}, 1)
	p.written = nil
	p.say(p.limit.remaining())
	p.require(t, "0s: flood 2, for 2")
	p.say(p.limit.remaining())
	p.require(t)
}
