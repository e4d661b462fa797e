package changes

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// pair is something that has a limit, both by the names of their families.
type pair struct {
	what        string
	used, limit string
	// free says that used is what is left of it.
	free bool
	// process is the value of the label process that the limit has, if it is not of the same labels.
	process string
	// anyLabels says that the limit is of the node, whatever the labels of used are.
	anyLabels bool
}

var pairs = []pair{
	{what: "memory of the control group", used: "fodc_cgroup_memory_current_bytes", limit: "fodc_cgroup_memory_max_bytes"},
	{what: "memory of the node's process, of its control group", used: "fodc_node_process_resident_memory_bytes", limit: "fodc_cgroup_memory_max_bytes", process: "node"},
	{what: "resident memory, of the limit that the database knows", used: "process_resident_memory_bytes", limit: "banyandb_memory_protector_cgroup_limit_bytes", anyLabels: true},
	{what: "memory of the host", used: "node_memory_MemAvailable_bytes", limit: "node_memory_MemTotal_bytes", free: true},
	{what: "space of the file system", used: "node_filesystem_avail_bytes", limit: "node_filesystem_size_bytes", free: true},
	{what: "inodes of the file system", used: "node_filesystem_files_free", limit: "node_filesystem_files", free: true},
	{what: "open files of the node's process", used: "fodc_node_process_open_fds", limit: "fodc_node_process_max_fds"},
	{what: "open files of the process", used: "process_open_fds", limit: "process_max_fds"},
	{what: "open files of the host", used: "node_filefd_allocated", limit: "node_filefd_maximum"},
}

// limitFinder keeps the series of a node that are in a pair.
type limitFinder struct{ byName map[string][]Series }

// inPairs are the names that a pair has.
var inPairs = func() map[string]bool {
	names := map[string]bool{}
	for _, p := range pairs {
		names[p.used], names[p.limit] = true, true
	}
	return names
}()

func newLimitFinder() *limitFinder { return &limitFinder{byName: map[string][]Series{}} }

func (l *limitFinder) see(s *Series) {
	if inPairs[s.Name] {
		l.byName[s.Name] = append(l.byName[s.Name], *s)
	}
}

func (l *limitFinder) find(f *Finder, end int64) (all []Limit) {
	for _, p := range pairs {
		for i := range l.byName[p.used] {
			used := &l.byName[p.used][i]
			limit := p.limitOf(used, l.byName[p.limit])
			if limit <= 0 {
				continue
			}
			if n, ok := f.nearLimit(used, limit, p.free, end); ok {
				n.What = p.what
				all = append(all, n)
			}
		}
	}
	return all
}

// limitOf returns the limit that belongs to a series, as it was last; 0 if there is none.
func (p *pair) limitOf(used *Series, limits []Series) float64 {
	for i := range limits {
		l := &limits[i]
		same := l.Labels == used.Labels
		switch {
		case p.anyLabels:
			same = true
		case p.process != "":
			same = strings.Contains(l.Labels, `process="`+p.process+`"`)
		}
		if !same {
			continue
		}
		// What ends with a process ends with a marker that is no number.
		for n := min(len(l.Values), len(l.Times)) - 1; n >= 0; n-- {
			if v := l.Values[n]; !math.IsNaN(v) {
				return v
			}
		}
	}
	return 0
}

func (f *Finder) nearLimit(s *Series, limit float64, free bool, end int64) (Limit, bool) {
	p := &f.points
	p.take(s, f.from, f.to)
	if free {
		for i := range p.v {
			p.v[i] = limit - p.v[i]
		}
	}
	l := Limit{Node: s.Node, Name: s.Name, Labels: s.Labels, Limit: limit}
	n := 0
	for i, v := range p.v {
		if p.at[i] < end {
			n++
			continue
		}
		if v > nearLimit*limit && l.At.IsZero() {
			l.At = timeOf(p.at[i])
		}
		l.Highest = max(l.Highest, v)
	}
	f.scratch = append(f.scratch[:0], p.v[:n]...)
	l.Usual = median(f.scratch)
	return l, l.Highest > nearLimit*limit && (l.Usual < nearLimit*limit || l.Highest > atLimit*limit)
}

func (f *Finder) nearLimits() []Limit {
	all := append([]Limit{}, f.limits...)
	slices.SortFunc(all, func(a, b Limit) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Labels, b.Labels))
	})
	return all[:min(len(all), maxLimits)]
}
