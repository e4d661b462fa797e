package changes

import (
	"slices"
	"time"
)

// Finder takes the series node by node, so that those of one node alone have to be in memory.
type Finder struct {
	from, first, to int64
	problem         map[string]bool // node ids
	ends            map[string]time.Time
	families        map[string]*family
	vanished        absences
	appeared        absences
	churn           []churnOf
	limits          []Limit
	// intervals are those between the scrapes of each node.
	intervals      []int64
	series, judged int
	// node is the one whose series come, nil before the first.
	node *nodeFinder
	// newest is the time of the newest sample of all.
	newest int64

	// What every series needs, so that one that has not changed costs no allocation.
	points       points
	scratch, off []float64
}

// NewFinder returns a finder for the times of a question.
func NewFinder(q Question) *Finder {
	f := &Finder{from: q.From.UnixMilli(), first: q.First.UnixMilli(), to: q.To.UnixMilli(), families: map[string]*family{}, problem: map[string]bool{}, ends: q.Ends}
	for _, id := range q.Nodes {
		f.problem[id] = true
	}
	return f
}

// nodeFinder is the node under way.
type nodeFinder struct {
	name string
	// oldest is when its oldest sample is, end when the time begins that is searched.
	oldest, end int64
	absent      *absence
	limits      *limitFinder
}

// Add looks at series of one node. Those of a node may come in several calls in a row. It keeps nothing of
// those that have not changed, but for the few that have a limit.
func (f *Finder) Add(series []Series) {
	if len(series) == 0 {
		return
	}
	if f.node == nil || f.node.name != series[0].Node {
		f.endNode()
		f.begin(series)
	}
	for i := range series {
		s := &series[i]
		f.series++
		f.points.take(s, f.from, f.to)
		if len(f.points.at) == 0 || isOfAgent(s.Name) {
			continue
		}
		f.newest = max(f.newest, f.points.at[len(f.points.at)-1])
		f.node.absent.see(s, &f.points, f.node.oldest)
		f.node.limits.see(s)
		f.judge(s, f.node.end)
	}
}

func (f *Finder) begin(series []Series) {
	name := series[0].Node
	usual, oldest := f.intervalOf(series)
	end := f.baselineEnd(usual, oldest)
	f.node = &nodeFinder{name: name, oldest: oldest, end: end, absent: newAbsence(name, usual, end), limits: newLimitFinder()}
	f.intervals = append(f.intervals, usual)
}

// lastOf is when the samples of a node would end if nothing had happened to it.
func (f *Finder) lastOf(node string) int64 {
	if end := f.ends[node]; !end.IsZero() {
		return min(f.newest, end.UnixMilli())
	}
	return f.newest
}

func (f *Finder) endNode() {
	if n := f.node; n != nil {
		f.vanished = append(f.vanished, n.absent.vanished()...)
		f.appeared = append(f.appeared, n.absent.appeared()...)
		f.churn = append(f.churn, n.absent.churned()...)
		f.limits = append(f.limits, n.limits.find(f, n.end)...)
	}
	f.node = nil
}

// intervalOf returns the usual time between two scrapes of a node, and when its oldest sample is. Some of
// the series show it.
func (f *Finder) intervalOf(series []Series) (usual, oldest int64) {
	const enough = 100
	var all []int64
	oldest = f.to
	for i := 0; i < len(series); i += max(1, len(series)/enough) {
		f.points.take(&series[i], f.from, f.to)
		if len(f.points.at) == 0 {
			continue
		}
		oldest = min(oldest, f.points.at[0])
		if d := interval(f.points.at); d > 0 {
			all = append(all, d)
		}
	}
	return medianInt(all), oldest
}

// baselineEnd is where the time that is searched begins.
func (f *Finder) baselineEnd(usual, oldest int64) int64 {
	guard := int64(guardShare * float64(f.first-max(f.from, oldest)))
	return f.first - max(min(guard, maxGuard.Milliseconds()), minGuard*usual)
}

// judge looks for a change of a series, whose samples are the points.
func (f *Finder) judge(s *Series, end int64) {
	p := &f.points
	if isClock(s.Name, p) {
		return
	}
	if isCounter(s, p.v) {
		p.toRates()
	}
	n := 0
	for n < len(p.at) && p.at[n] < end {
		n++
	}
	if n < minBaseline {
		return
	}
	f.judged++
	f.scratch = append(slices.Grow(f.scratch[:0], len(p.v)), p.v[:n]...)
	f.off = slices.Grow(f.off[:0], len(p.v))
	b := fit(p, n, floorOf(s.Name, p.counter, p.v[:n], median(f.scratch)), f.scratch)
	if c, ok := detect(p, n, &b, f.off); ok {
		f.keep(s, p, &b, c)
	}
}
