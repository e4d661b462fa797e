package messages

import "unsafe"

// MemoryBytes implements Part.
func (l *Lifecycle) MemoryBytes() int {
	bytes := int(unsafe.Sizeof(*l)) + len(l.PodName)
	for _, r := range l.Reports {
		bytes += int(unsafe.Sizeof(r)) + len(r.Filename) + len(r.JSON)
	}
	for i := range l.Groups {
		bytes += l.Groups[i].memoryBytes()
	}
	return bytes
}

func (g *LifecycleGroup) memoryBytes() int {
	bytes := int(unsafe.Sizeof(*g)) + len(g.Name) + len(g.Catalog) + textsBytes(g.Errors)
	if g.Resources != nil {
		bytes += g.Resources.memoryBytes()
	}
	for i := range g.Data {
		bytes += g.Data[i].memoryBytes()
	}
	if g.Consistency != nil {
		bytes += g.Consistency.memoryBytes()
	}
	return bytes
}

func (r *ResourceOpts) memoryBytes() int {
	bytes := int(unsafe.Sizeof(*r)) + textsBytes(r.DefaultStages)
	for i := range r.Stages {
		s := &r.Stages[i]
		bytes += int(unsafe.Sizeof(*s)) + len(s.Name) + len(s.NodeSelector) + 2*int(unsafe.Sizeof(IntervalRule{}))
	}
	return bytes
}

func (d *DataInfo) memoryBytes() int {
	bytes := int(unsafe.Sizeof(*d))
	if d.Node != nil {
		bytes += d.Node.MemoryBytes()
	}
	for i := range d.Segments {
		s := &d.Segments[i]
		bytes += int(unsafe.Sizeof(*s)) + len(s.ID) + len(s.TimeRangeStart) + len(s.TimeRangeEnd) + int(unsafe.Sizeof(IndexInfo{}))
		bytes += len(s.Shards) * int(unsafe.Sizeof(ShardInfo{})+2*unsafe.Sizeof(IndexInfo{}))
	}
	return bytes
}

func (c *SchemaConsistency) memoryBytes() int {
	bytes := int(unsafe.Sizeof(*c))
	for i := range c.Objects {
		o := &c.Objects[i]
		bytes += int(unsafe.Sizeof(*o)) + len(o.Kind) + len(o.Name)
		for _, n := range o.Nodes {
			bytes += int(unsafe.Sizeof(n)) + len(n.Node)
		}
	}
	for _, i := range c.Issues {
		bytes += int(unsafe.Sizeof(i)) + len(i.Kind) + len(i.Name) + len(i.Node)
	}
	return bytes
}

// MemoryBytes implements Part.
func (g *SchemaGroup) MemoryBytes() int {
	bytes := int(unsafe.Sizeof(*g)) + len(g.Group) + len(g.Error)
	for _, o := range g.Objects {
		bytes += int(unsafe.Sizeof(o)) + len(o.Kind) + len(o.Name)
	}
	return bytes
}

func textsBytes(texts []string) (bytes int) {
	for _, t := range texts {
		bytes += int(unsafe.Sizeof(t)) + len(t)
	}
	return bytes
}
