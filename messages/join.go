package messages

import (
	"slices"
	"strings"
)

// JoinTopology puts the parts of an answer together, in their order. Parts of other kinds are left
// out. The result has the time of the first part, and shares memory with all of them.
func JoinTopology(parts []Part) *Topology {
	var joined Topology
	for _, p := range parts {
		t, ok := p.(*Topology)
		if !ok || t == nil {
			continue
		}
		if joined.At.IsZero() {
			joined.At = t.At
		}
		joined.Nodes = append(joined.Nodes, t.Nodes...)
		joined.Calls = append(joined.Calls, t.Calls...)
	}
	return &joined
}

// JoinSchema puts the chunks of each group together, in the order of their first ones. Parts of other
// kinds are left out. The error of a group is the first that one of its chunks has.
func JoinSchema(parts []Part) []SchemaGroup {
	var joined []SchemaGroup
	at := map[string]int{}
	for _, p := range parts {
		g, ok := p.(*SchemaGroup)
		if !ok || g == nil {
			continue
		}
		first, ok := at[g.Group]
		if !ok {
			at[g.Group] = len(joined)
			joined = append(joined, SchemaGroup{Group: g.Group, Objects: slices.Clip(g.Objects), Error: g.Error})
			continue
		}
		to := &joined[first]
		to.Objects = append(to.Objects, g.Objects...)
		if to.Error == "" {
			to.Error = g.Error
		}
	}
	return joined
}

// JoinLifecycle puts the parts of an answer together, in their order. Groups of one name become one, see
// JoinGroups, and a report that goes on becomes whole; if it then had more than maxReportBytes, its end is
// left out. Parts of other kinds are left out. The result has the time and the pod of the first part, and
// shares memory with all of them.
func JoinLifecycle(parts []Part, maxReportBytes int) *Lifecycle {
	var joined Lifecycle
	var reports reportJoiner
	for _, p := range parts {
		l, ok := p.(*Lifecycle)
		if !ok || l == nil {
			continue
		}
		if joined.At.IsZero() {
			joined.At = l.At
		}
		if joined.PodName == "" {
			joined.PodName = l.PodName
		}
		for _, r := range l.Reports {
			reports.add(r, maxReportBytes)
		}
		joined.Groups = append(joined.Groups, l.Groups...)
	}
	reports.end()
	joined.Reports, joined.Groups = reports.done, JoinGroups(joined.Groups)
	return &joined
}

// reportJoiner makes whole reports of their pieces.
type reportJoiner struct {
	done []LifecycleReport
	// text is what there is of the last report if it goes on.
	text strings.Builder
	open bool
}

func (j *reportJoiner) add(r LifecycleReport, maxBytes int) {
	if !j.open || j.done[len(j.done)-1].Filename != r.Filename {
		j.end()
		j.done = append(j.done, r)
		j.open = r.Continues
		if r.Continues {
			j.text.WriteString(r.JSON)
		}
		return
	}
	if j.text.Len()+len(r.JSON) <= maxBytes {
		j.text.WriteString(r.JSON)
	}
	if !r.Continues {
		j.done[len(j.done)-1].Continues = false
		j.end()
	}
}

// end closes the report that is open. If its last piece has not come, it still says that it goes on.
func (j *reportJoiner) end() {
	if !j.open {
		return
	}
	j.done[len(j.done)-1].JSON = j.text.String()
	j.text, j.open = strings.Builder{}, false
}
