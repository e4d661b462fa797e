package promstore

import (
	"cmp"
	"slices"
	"time"

	"fodc/messages"
)

const (
	// maxAsks bounds the collections of one query that are made at once.
	maxAsks = 4
	// smallWindow is the length of a window that several selections share although some of them need
	// a small part of it only.
	smallWindow = 15 * time.Minute
	// maxAskedMillis is the latest time that is asked for: a year that all agents can read.
	maxAskedMillis = int64(32503680000000)
)

// ask is a collection that is to be made.
type ask struct {
	wants
	latest, seriesOnly bool
	// start and end bound the window, in unix milliseconds, both included.
	start, end int64
	// shortest is the length of the shortest window that one of the selections needs.
	shortest   int64
	selections []*selection
}

// plan returns the collections that the selections need. Those for similar windows share one; an
// instant has one of the latest samples, unless one of those for a window has them anyway.
func plan(selections []*selection) []*ask {
	windows := slices.DeleteFunc(slices.Clone(selections), func(s *selection) bool { return s.instant || s.empty })
	slices.SortStableFunc(windows, func(a, b *selection) int { return cmp.Compare(a.start, b.start) })
	var asks []*ask
	for _, s := range windows {
		if i := slices.IndexFunc(asks, func(a *ask) bool { return a.isWorth(s) }); i >= 0 {
			asks[i].add(s)
		} else {
			asks = append(asks, newAsk(s))
		}
	}
	for len(asks) > maxAsks-1 && fuseNearest(&asks) {
	}
	var latest *ask
	for _, s := range selections {
		if !s.instant || s.empty {
			continue
		}
		if i := slices.IndexFunc(asks, func(a *ask) bool { return a.covers(s) }); i >= 0 {
			asks[i].selections = append(asks[i].selections, s)
		} else if latest == nil {
			latest = newAsk(s)
		} else {
			latest.add(s)
		}
	}
	if latest != nil {
		latest.latest = true
		asks = append(asks, latest)
	}
	return asks
}

func newAsk(s *selection) *ask {
	return &ask{wants: s.wants, seriesOnly: s.seriesOnly, start: s.start, end: s.end, shortest: s.end - s.start, selections: []*selection{s}}
}

func (a *ask) add(s *selection) {
	a.fuse(newAsk(s))
}

func (a *ask) fuse(other *ask) {
	a.wants.add(&other.wants)
	a.start, a.end, a.shortest = min(a.start, other.start), max(a.end, other.end), min(a.shortest, other.shortest)
	a.selections = append(a.selections, other.selections...)
}

// isWorth reports whether the selection should share the window: it overlaps, and neither would
// need to read much more than alone.
func (a *ask) isWorth(s *selection) bool {
	length := max(a.end, s.end) - min(a.start, s.start)
	return a.seriesOnly == s.seriesOnly && s.start <= a.end && s.end >= a.start &&
		(length <= smallWindow.Milliseconds() || length/2 <= min(a.shortest, s.end-s.start))
}

// covers reports whether the window's collection has all samples of the selection.
func (a *ask) covers(s *selection) bool {
	return !a.latest && a.seriesOnly == s.seriesOnly && a.start <= s.start && a.end >= s.end && a.wants.covers(&s.wants)
}

// fuseNearest makes one of those two windows of the same kind that become the least longer by it.
func fuseNearest(asks *[]*ask) bool {
	from, to, least := -1, -1, int64(0)
	for i, a := range *asks {
		for j, b := range (*asks)[:i] {
			if a.seriesOnly != b.seriesOnly {
				continue
			}
			if length := max(a.end, b.end) - min(a.start, b.start); to < 0 || length < least {
				from, to, least = i, j, length
			}
		}
	}
	if to < 0 {
		return false
	}
	(*asks)[to].fuse((*asks)[from])
	*asks = slices.Delete(*asks, from, from+1)
	return true
}

// query returns what the nodes are asked, without a deadline.
func (a *ask) query() messages.Query {
	q := messages.Query{CorrectClocks: true}
	q.Filter = messages.NodeFilter{NodeIDs: a.nodeIDs, Roles: a.roles, PodNames: a.podNames, OrUnsaid: a.roles != nil || a.podNames != nil}
	q.Selection.Names = a.names
	if a.latest {
		return q
	}
	q.Selection.Window = messages.Window{Start: timeOf(a.start), End: timeOf(a.end)}
	q.Selection.SeriesOnly, q.Selection.ScrapeTimes = a.seriesOnly, !a.seriesOnly
	return q
}

// timeOf returns the time that an agent is asked for.
func timeOf(millis int64) time.Time { return time.UnixMilli(min(max(millis, 0), maxAskedMillis)) }
