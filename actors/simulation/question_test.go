package simulation

import (
	"fmt"
	"time"

	"fodc/messages"
)

// question is the request of one client. Its times are relative to the request.
type question struct {
	deadline time.Duration
	cancel   time.Duration // when the client cancels; 0: never
	nodes    []int         // the filter; none = all
	role     string        // the filter; empty = all
	isRange  bool          // a window and not the latest
	from, to time.Duration // of the window, before now; negative: open
	names    []string
	second   bool            // it goes to the second proxy
	kind     messages.Stream // empty: samples
}

func (q question) String() string {
	text := fmt.Sprintf("in %s", q.deadline)
	if q.cancel > 0 {
		text += fmt.Sprintf(", given up after %s", q.cancel)
	}
	if q.kind != "" {
		text += ", " + string(q.kind)
	}
	if q.second {
		text += ", the second proxy"
	}
	if len(q.nodes) > 0 {
		text += fmt.Sprintf(", nodes %v", q.nodes)
	}
	if q.role != "" {
		text += ", role " + q.role
	}
	if q.isRange {
		text += ", from " + bound(q.from) + " to " + bound(q.to)
	}
	if len(q.names) > 0 {
		text += fmt.Sprintf(", names %v", q.names)
	}
	return text
}

func bound(before time.Duration) string {
	if before < 0 {
		return "any time"
	}
	return before.String() + " ago"
}

// The roles of the nodes: those with even numbers, and those with odd ones.
var roles = [2]string{"liaison", "datanode-hot"}

// asks adds requests of clients, some of which are repeated soon after.
func (r *planner) asks() {
	s := step{at: r.when(), do: ask, asked: r.questions()}
	r.add(s)
	for r.IntN(4) == 0 {
		s.at += r.between(time.Millisecond, 5*time.Second)
		s.asked = s.asked[:1+r.IntN(len(s.asked))]
		r.add(s)
	}
}

// questions draws the requests of clients at one moment. Some are equal.
func (r *planner) questions() []question {
	var all []question
	for range 1 + r.few(7) {
		if len(all) > 0 && r.IntN(3) == 0 {
			same := all[r.IntN(len(all))]
			same.cancel = 0
			if r.IntN(2) == 0 {
				same.deadline += r.between(time.Millisecond, 2*time.Second)
			}
			all = append(all, same)
			continue
		}
		all = append(all, r.question())
	}
	return all
}

func (r *planner) question() question {
	q := question{deadline: r.between(20*time.Millisecond, 6*time.Second)}
	q.second = r.second && r.IntN(2) == 0
	if r.IntN(5) == 0 {
		q.cancel = r.between(time.Millisecond, q.deadline)
	}
	switch r.IntN(6) {
	case 0:
		q.role = roles[r.IntN(2)]
	case 1, 2:
		for n := 1; n <= r.nodes; n++ {
			if r.IntN(2) == 0 {
				q.nodes = append(q.nodes, n)
			}
		}
	}
	if q.isRange = r.IntN(2) == 0; q.isRange {
		q.from = r.between(time.Second, 2*time.Minute)
		q.to = q.from / time.Duration(2+r.IntN(4))
		switch r.IntN(4) {
		case 0:
			q.from = -1
		case 1, 2:
			q.to = -1
		}
	}
	switch r.IntN(4) {
	case 0:
	case 1:
		q.names = []string{sampleName, wideName}
	default:
		q.names = []string{sampleName}
	}
	return q
}
