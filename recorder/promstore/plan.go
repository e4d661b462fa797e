package promstore

import (
	"cmp"
	"slices"
	"time"

	"fodc/messages"
)

const (
	// maxRequests bounds the collections of one query that are made at once, maxPlanned those among
	// which the similar ones are looked for.
	maxRequests = 4
	maxPlanned  = 16
	// smallWindow is the length of a window that several selections share although some of them need
	// a small part of it only.
	smallWindow = 15 * time.Minute
	// maxAskedMillis is the latest time that is asked for: a year that all agents can read.
	maxAskedMillis = int64(32503680000000)
)

// request is a collection that is to be made.
type request struct {
	scope
	latest, seriesOnly bool
	// start and end bound the window, in unix milliseconds, both included.
	start, end int64
	// shortest is the length of the shortest window that one of the selections needs.
	shortest   int64
	selections []*selection
}

// plan returns the collections that the selections need. Those for similar windows share one; an
// instant has one of the latest samples, unless one of those for a window has them anyway.
func plan(selections []*selection) []*request {
	windows := slices.DeleteFunc(slices.Clone(selections), func(s *selection) bool { return s.instant || s.empty })
	slices.SortStableFunc(windows, func(a, b *selection) int { return cmp.Compare(a.from, b.from) })
	var requests []*request
	for _, s := range windows {
		i := slices.IndexFunc(requests, func(r *request) bool { return r.isWorth(s) })
		if i < 0 && len(requests) >= maxPlanned {
			i = nearest(requests, newRequest(s))
		}
		if i >= 0 {
			requests[i].merge(newRequest(s))
		} else {
			requests = append(requests, newRequest(s))
		}
	}
	for len(requests) > maxRequests-1 && mergeNearest(&requests) {
	}
	var latest *request
	for _, s := range selections {
		if !s.instant || s.empty {
			continue
		}
		if i := slices.IndexFunc(requests, func(r *request) bool { return r.covers(s) }); i >= 0 {
			requests[i].selections = append(requests[i].selections, s)
		} else if latest == nil {
			latest = newRequest(s)
		} else {
			latest.merge(newRequest(s))
		}
	}
	if latest != nil {
		latest.latest = true
		requests = append(requests, latest)
	}
	return requests
}

func newRequest(s *selection) *request {
	return &request{scope: s.scope, seriesOnly: s.seriesOnly, start: s.from, end: s.end, shortest: s.end - s.from, selections: []*selection{s}}
}

func (r *request) merge(other *request) {
	r.scope.add(&other.scope)
	r.start, r.end, r.shortest = min(r.start, other.start), max(r.end, other.end), min(r.shortest, other.shortest)
	r.selections = append(r.selections, other.selections...)
}

// isWorth reports whether the selection should share the window: it overlaps, and neither would
// need to read much more than alone.
func (r *request) isWorth(s *selection) bool {
	length := max(r.end, s.end) - min(r.start, s.from)
	return r.seriesOnly == s.seriesOnly && s.from <= r.end && s.end >= r.start &&
		(length <= smallWindow.Milliseconds() || length/2 <= min(r.shortest, s.end-s.from))
}

// covers reports whether the window's collection has all samples of the selection.
func (r *request) covers(s *selection) bool {
	return !r.latest && r.seriesOnly == s.seriesOnly && r.start <= s.from && r.end >= s.end && r.scope.covers(&s.scope)
}

// nearest returns the index of the window of the same kind that becomes the least longer if it is
// merged with r, -1 if there is none.
func nearest(requests []*request, r *request) (index int) {
	index = -1
	least := int64(0)
	for i, other := range requests {
		if other.seriesOnly != r.seriesOnly {
			continue
		}
		if length := other.lengthWith(r); index < 0 || length < least {
			index, least = i, length
		}
	}
	return index
}

// mergeNearest merges those two windows of the same kind that become the least longer by it.
func mergeNearest(requests *[]*request) bool {
	from, to, least := -1, -1, int64(0)
	for i, r := range *requests {
		if j := nearest((*requests)[:i], r); j >= 0 {
			if length := (*requests)[j].lengthWith(r); to < 0 || length < least {
				from, to, least = i, j, length
			}
		}
	}
	if to < 0 {
		return false
	}
	(*requests)[to].merge((*requests)[from])
	*requests = slices.Delete(*requests, from, from+1)
	return true
}

// lengthWith returns the length of the window that has both.
func (r *request) lengthWith(other *request) int64 {
	return max(r.end, other.end) - min(r.start, other.start)
}

// query returns what the nodes are asked, without a deadline.
func (r *request) query() messages.Query {
	q := messages.Query{CorrectClocks: true}
	q.Filter = messages.NodeFilter{NodeIDs: r.nodeIDs, Roles: r.roles, PodNames: r.podNames, OrUnsaid: r.roles != nil || r.podNames != nil}
	q.Selection.Names = r.names
	if r.latest {
		return q
	}
	q.Selection.Window = messages.Window{Start: timeOf(r.start), End: timeOf(r.end)}
	q.Selection.SeriesOnly, q.Selection.ScrapeTimes = r.seriesOnly, !r.seriesOnly
	return q
}

// timeOf returns the time that an agent is asked for.
func timeOf(millis int64) time.Time { return time.UnixMilli(min(max(millis, 0), maxAskedMillis)) }
