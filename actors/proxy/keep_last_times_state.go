package proxy

import (
	"time"

	"fodc/recorder"
)

const (
	// keptEarlier is how much earlier than usual a scrape may be without being missed.
	keptEarlier = time.Second
	// keptLate is how long a scrape may take: one that is later is missed.
	keptLate = time.Minute
	// keptSlack is by how much the times of a scrape may differ between two answers of a node whose clock is corrected.
	keptSlack = 500 * time.Millisecond
)

// keptTimes knows which scrapes of a node are kept. All times are unix milliseconds by the proxy's clock.
//
// A scrape has the time at which it began, and is in the window when it has ended. So each window begins where the
// one before has ended, or, if the next scrape of a target is overdue, behind the last one of that.
type keptTimes struct {
	targets map[string]*keptTarget
	through int64
}

// keptTarget is a target: the time of its last scrape, and how long after the one before that was, 0 if that is
// not known.
type keptTarget struct{ last, interval int64 }

// from returns where the next window begins, which is to end at now.
func (k *keptTimes) from(now, reach int64) int64 {
	if k.through > now+keptLate.Milliseconds() { // The proxy's clock was set back.
		k.targets, k.through = nil, now
	}
	from := k.through + 1
	for name, t := range k.targets {
		if t.last < now-reach {
			delete(k.targets, name)
			continue
		}
		overdue := t.interval == 0 || t.last+t.interval-keptEarlier.Milliseconds() <= k.through
		if overdue && t.last >= k.through-keptLate.Milliseconds() {
			from = min(from, t.last+1)
		}
	}
	return max(from, now-reach)
}

// take reports whether a scrape is to be kept, and not kept yet.
func (k *keptTimes) take(target string, at int64, corrected bool) bool {
	t := k.targets[target]
	if t == nil {
		if k.targets == nil {
			k.targets = make(map[string]*keptTarget)
		}
		if len(k.targets) < maxKeptTargets {
			k.targets[target] = &keptTarget{last: at}
		}
		return true
	}
	last := t.last
	if corrected {
		last += keptSlack.Milliseconds()
	}
	if at <= last {
		return false
	}
	t.last, t.interval = at, at-t.last
	return true
}

// resume has the next window begin where those of a former process have ended.
func (k *keptTimes) resume() {
	newest := int64(0)
	for _, t := range k.targets {
		newest = max(newest, t.last)
	}
	k.through = newest
	for name, t := range k.targets {
		t.interval = 0
		if !recorder.IsUnnamedTarget(name) && t.last >= newest-keptLate.Milliseconds() {
			k.through = min(k.through, t.last)
		}
	}
}
