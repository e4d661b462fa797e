package messages

import "slices"

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

// JoinLifecycle puts the parts of an answer together, in their order. Groups of one name become one, and
// a report that goes on becomes whole; of its text no more than maxReportBytes are kept. Parts of other kinds are
// left out. The result has the time and the pod of the first part, and shares memory with all of them.
func JoinLifecycle(parts []Part, maxReportBytes int) *Lifecycle {
	var joined Lifecycle
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
		joined.Reports = joinReports(joined.Reports, l.Reports, maxReportBytes)
		joined.Groups = append(joined.Groups, l.Groups...)
	}
	joined.Groups = JoinGroups(joined.Groups)
	return &joined
}

func joinReports(reports, more []LifecycleReport, maxBytes int) []LifecycleReport {
	for _, r := range more {
		n := len(reports)
		if n == 0 || !reports[n-1].Continues || reports[n-1].Filename != r.Filename {
			reports = append(reports, r)
			continue
		}
		last := &reports[n-1]
		last.Continues = r.Continues
		if len(last.JSON)+len(r.JSON) <= maxBytes {
			last.JSON += r.JSON
		}
	}
	return reports
}

// JoinGroups makes one group of those that have the same name: the first one's place, catalog and
// settings, the data, errors and consistencies of all. What a node has goes on in an entry of the same node that has
// no size. It does not change the groups, and shares memory with them.
func JoinGroups(groups []LifecycleGroup) []LifecycleGroup {
	var joined []LifecycleGroup
	at := map[string]int{}
	for i := range groups {
		g := groups[i]
		first, ok := at[g.Name]
		if !ok {
			at[g.Name] = len(joined)
			g.Data, g.Errors = slices.Clip(g.Data), slices.Clip(g.Errors)
			joined = append(joined, g)
			continue
		}
		to := &joined[first]
		if to.Catalog == "" {
			to.Catalog = g.Catalog
		}
		if to.Resources == nil {
			to.Resources = g.Resources
		}
		to.Data = joinData(to.Data, g.Data)
		to.Errors = append(to.Errors, g.Errors...)
		to.Consistency = joinConsistency(to.Consistency, g.Consistency)
	}
	return joined
}

func joinData(data, more []DataInfo) []DataInfo {
	for _, d := range more {
		n := len(data)
		if n == 0 || !data[n-1].goesOnIn(&d) {
			data = append(data, d)
			continue
		}
		if n == len(data) {
			data = slices.Clone(data) // The last entry is changed.
		}
		last := &data[n-1]
		last.Segments = append(slices.Clip(last.Segments), d.Segments...)
	}
	return data
}

// goesOnIn reports whether the next entry is of the same node, and has no size.
func (d *DataInfo) goesOnIn(next *DataInfo) bool {
	return d.Node != nil && next.Node != nil && d.Node.Metadata.Name != "" && d.Node.Metadata.Name == next.Node.Metadata.Name &&
		next.DataSizeBytes == 0
}

// joinConsistency takes the status of the one that knows more: an inconsistency counts most.
func joinConsistency(a, b *SchemaConsistency) *SchemaConsistency {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	joined := &SchemaConsistency{Status: a.Status, Objects: slices.Concat(a.Objects, b.Objects), Issues: slices.Concat(a.Issues, b.Issues)}
	if joined.Status.weight() < b.Status.weight() {
		joined.Status = b.Status
	}
	return joined
}

func (s ConsistencyStatus) weight() int {
	switch s {
	case ConsistencyInconsistent:
		return 3
	case ConsistencyUnknown:
		return 2
	case ConsistencyConsistent:
		return 1
	}
	return 0
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
