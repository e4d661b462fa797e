package messages

import "slices"

// JoinGroups makes one group of those that have the same name: in the place of the first one, with the
// first catalog and settings that one of them has, and with the data, the errors and the schema objects of
// all. An entry of a node that has no size goes on with the segments of the entry before it, if that is of the
// same node. It does not change the groups, and shares memory with them.
func JoinGroups(groups []LifecycleGroup) []LifecycleGroup {
	var joined []*groupJoiner
	at := map[string]*groupJoiner{}
	for i := range groups {
		j, ok := at[groups[i].Name]
		if !ok {
			j = &groupJoiner{LifecycleGroup: groups[i]}
			at[groups[i].Name], joined = j, append(joined, j)
			continue
		}
		j.add(&groups[i])
	}
	if len(joined) == 0 {
		return nil
	}
	list := make([]LifecycleGroup, len(joined))
	for i, j := range joined {
		list[i] = j.LifecycleGroup
	}
	return list
}

// groupJoiner is a group to which others of its name are added. It copies what it changes once, so that
// the cost does not grow with the square of the number of groups.
type groupJoiner struct {
	LifecycleGroup
	// owned says that Data, Errors and Consistency are its own, ownedSegments that the segments of the
	// last entry of Data are.
	owned, ownedSegments bool
}

func (j *groupJoiner) own() {
	if j.owned {
		return
	}
	j.owned = true
	j.Data, j.Errors = slices.Clone(j.Data), slices.Clone(j.Errors)
	if c := j.Consistency; c != nil {
		j.Consistency = &SchemaConsistency{Status: c.Status, Objects: slices.Clone(c.Objects), Issues: slices.Clone(c.Issues)}
	}
}

func (j *groupJoiner) add(g *LifecycleGroup) {
	j.own()
	if j.Catalog == "" {
		j.Catalog = g.Catalog
	}
	if j.Resources == nil {
		j.Resources = g.Resources
	}
	for _, d := range g.Data {
		j.addData(d)
	}
	j.Errors = append(j.Errors, g.Errors...)
	if g.Consistency != nil {
		j.addConsistency(g.Consistency)
	}
}

func (j *groupJoiner) addData(d DataInfo) {
	n := len(j.Data)
	if n == 0 || !j.Data[n-1].goesOnIn(&d) {
		j.Data, j.ownedSegments = append(j.Data, d), false
		return
	}
	last := &j.Data[n-1]
	if !j.ownedSegments {
		last.Segments, j.ownedSegments = slices.Clone(last.Segments), true
	}
	last.Segments = append(last.Segments, d.Segments...)
}

// goesOnIn reports whether the next entry is of the same node, and has no size.
func (d *DataInfo) goesOnIn(next *DataInfo) bool {
	return d.Node != nil && next.Node != nil && d.Node.Metadata.Name != "" && next.DataSizeBytes == 0 &&
		d.Node.Metadata.Name == next.Node.Metadata.Name
}

// addConsistency takes the worst status.
func (j *groupJoiner) addConsistency(c *SchemaConsistency) {
	if j.Consistency == nil {
		j.Consistency = &SchemaConsistency{}
	}
	to := j.Consistency
	if to.Status.weight() < c.Status.weight() {
		to.Status = c.Status
	}
	to.Objects, to.Issues = append(to.Objects, c.Objects...), append(to.Issues, c.Issues...)
}

// weight is higher for what must not be hidden by another one.
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
