package httpapi

import (
	"maps"
	"slices"

	"fodc/messages"
)

// mergedGroup is what several agents, or several parts of an answer, say of one group.
type mergedGroup struct {
	catalog     string
	resources   *messages.ResourceOpts
	consistency *messages.SchemaConsistency
	// data is by the name of the node.
	data   map[string]*mergedData
	errors map[string]struct{}
}

// mergedData is what one node has of the group. Several agents may say it.
type mergedData struct {
	info     *messages.DataInfo
	segments map[string]*messages.SegmentInfo
}

func mergeGroup(groups map[string]*mergedGroup, g *messages.LifecycleGroup) {
	m := groups[g.Name]
	if m == nil {
		m = &mergedGroup{data: map[string]*mergedData{}, errors: map[string]struct{}{}}
		groups[g.Name] = m
	}
	if m.catalog == "" {
		m.catalog = g.Catalog
	}
	if m.resources == nil {
		m.resources = g.Resources
	}
	if g.Consistency != nil && (m.consistency == nil || severity(g.Consistency) > severity(m.consistency)) {
		m.consistency = g.Consistency
	}
	for _, e := range g.Errors {
		m.errors[e] = struct{}{}
	}
	for i := range g.Data {
		m.add(&g.Data[i])
	}
}

// severity orders what is known of a schema: the worst counts.
func severity(c *messages.SchemaConsistency) int {
	return slices.Index([]messages.ConsistencyStatus{messages.ConsistencyUnspecified, messages.ConsistencyConsistent,
		messages.ConsistencyUnknown, messages.ConsistencyInconsistent}, c.Status)
}

// add adds what a node has. A segment that another agent, or another part, has described counts once.
func (m *mergedGroup) add(d *messages.DataInfo) {
	name := ""
	if d.Node != nil {
		name = d.Node.Metadata.Name
	}
	has := m.data[name]
	if has == nil {
		has = &mergedData{info: d, segments: map[string]*messages.SegmentInfo{}}
		m.data[name] = has
	} else if d.DataSizeBytes > has.info.DataSizeBytes {
		has.info = d
	}
	for i := range d.Segments {
		s := &d.Segments[i]
		if _, known := has.segments[s.ID]; !known {
			has.segments[s.ID] = s
		}
	}
}

func (m *mergedGroup) view(name string) groupView {
	v := groupView{Name: name, Catalog: m.catalog, Resources: resourcesOf(m.resources), Data: []dataInfoView{},
		Errors: listOf(slices.Sorted(maps.Keys(m.errors))), Consistency: consistencyOf(m.consistency)}
	for _, node := range slices.Sorted(maps.Keys(m.data)) {
		d := m.data[node]
		one := dataInfoView{Node: protoNodeOf(d.info.Node), Segments: []segmentView{}, DataSizeBytes: d.info.DataSizeBytes}
		for _, id := range slices.Sorted(maps.Keys(d.segments)) {
			one.Segments = append(one.Segments, segmentOf(d.segments[id]))
		}
		v.Data = append(v.Data, one)
	}
	return v
}
