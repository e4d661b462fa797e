package changes

import (
	"slices"
	"time"
)

// Series is what is known of one series. Times are unix milliseconds, oldest first.
type Series struct {
	Node string
	// Name is that of the samples, with _bucket and the like. Type is counter, gauge, histogram, summary, or
	// anything else if it is not known.
	Name, Type string
	// Labels are those of a page, without braces.
	Labels string
	Times  []int64
	Values []float64
}

// Question says of what time the series are, and when it was noticed that something is wrong.
type Question struct {
	From, First, To time.Time
	// Nodes are those with the problem, if others are looked at, too: of what begins at the same time theirs is first.
	Nodes []string
	// Ends are when the samples of a node end that end before those of others, by node id: what ends with them has not vanished.
	Ends map[string]time.Time
}

// Kind says in what way a series has left its usual course.
type Kind string

// The kinds. Level: it stays above or below of what it was. Variance: it goes up and down further than
// before. Spike: one or two samples, far off. Stopped: a counter that always rose does not rise any more.
const (
	Level    Kind = "level"
	Variance Kind = "variance"
	Spike    Kind = "spike"
	Stopped  Kind = "stopped"
)

// Report is what has changed, the first change first.
type Report struct {
	Changes []Change `json:"changes"`
	// Dropped counts the families over MaxChanges.
	Dropped int `json:"dropped,omitempty"`
	// Limits are what came near a limit.
	Limits []Limit `json:"limits"`
	// Vanished are series that ended, or paused, together; Appeared those that began together.
	Vanished []Group `json:"vanished"`
	Appeared []Group `json:"appeared"`
	// Churn is what comes and goes, which is behind all others.
	Churn []Churn `json:"churn"`
	// Series counts those that were looked at; Judged those with enough samples before it.
	Series int `json:"series"`
	Judged int `json:"judged"`
	// Unread are nodes whose series could not be read, or not all.
	Unread []Unread `json:"unread"`
}

// Unread is a node whose series could not be read, and why.
type Unread struct {
	Node   string `json:"node_id"`
	Reason string `json:"reason"`
}

// Change is one family that has left its usual course: of its series the one that did so first, and
// of several at once the one that went furthest.
type Change struct {
	Family string    `json:"family"`
	Node   string    `json:"node_id"`
	Name   string    `json:"name"`
	Labels string    `json:"labels"`
	Kind   Kind      `json:"kind"`
	At     time.Time `json:"at"`
	// PerSecond says that From, To and the chart are the rate of a counter.
	PerSecond bool `json:"per_second,omitempty"`
	// From is the median of before. To is the value that is furthest from it. Of the kind variance they
	// are how far the series strays from its median.
	From float64 `json:"from"`
	To   float64 `json:"to"`
	// Factor is To/From, and 0 where that has no meaning.
	Factor float64 `json:"factor,omitempty"`
	// Direction is up, down or both.
	Direction string `json:"direction"`
	// Strength is how far it went, in units of what was usual.
	Strength float64 `json:"strength"`
	// Series counts those of the family that have changed. Nodes are theirs, in the order of time, at
	// most maxNodes.
	Series int      `json:"series"`
	Nodes  []string `json:"nodes"`
	Chart  Chart    `json:"chart"`
}

// Chart has what a picture needs: the series before the change and from then on.
type Chart struct {
	// Low and High bound what was usual.
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Before []Point `json:"before"`
	After  []Point `json:"after"`
}

// Point is a time in unix milliseconds and a value.
type Point struct {
	At    int64   `json:"t"`
	Value float64 `json:"v"`
}

// Limit is something that came near its limit, or was there before.
type Limit struct {
	Node string `json:"node_id"`
	// What is for people. Name and Labels are of the series that came near.
	What   string `json:"what"`
	Name   string `json:"name"`
	Labels string `json:"labels"`
	// At is when it was first over nearLimit, Highest the highest value. Usual is the median of before.
	At      time.Time `json:"at"`
	Usual   float64   `json:"usual"`
	Highest float64   `json:"highest"`
	Limit   float64   `json:"limit"`
}

// Group is series of one node that ended or began together with their families, such as those of a process.
type Group struct {
	Node string    `json:"node_id"`
	At   time.Time `json:"at"`
	// BackAt is when the first of them was there again; zero if none was.
	BackAt time.Time `json:"back_at,omitzero"`
	Series int       `json:"series"`
	// Families are some of them, at most maxGroupFamilies.
	Families []string `json:"families"`
}

// Churn is series that ended or began while others of the same family of the same node went on: values of a label that come and
// go, such as network devices. It is one line for all nodes: those of a host have the same devices.
type Churn struct {
	// By are the names of their labels.
	By []string `json:"by"`
	// At is when the first of them ended or began.
	At    time.Time `json:"at"`
	Ended int       `json:"ended"`
	Began int       `json:"began"`
	// Nodes are theirs, in the order of time, at most maxNodes; Families some of them, at most maxGroupFamilies.
	Nodes    []string `json:"nodes"`
	Families []string `json:"families"`
}

// Find says which of the series have changed.
func Find(series []Series, q Question) Report {
	byNode := make(map[string][]Series)
	var nodes []string
	for _, s := range series {
		if byNode[s.Node] == nil {
			nodes = append(nodes, s.Node)
		}
		byNode[s.Node] = append(byNode[s.Node], s)
	}
	slices.Sort(nodes)
	f := NewFinder(q)
	for _, n := range nodes {
		f.Add(byNode[n])
	}
	return f.Report()
}
