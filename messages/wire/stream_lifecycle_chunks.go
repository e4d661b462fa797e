package wire

import "fodc/messages"

// lifecyclePacker puts reports and groups into chunks. Each chunk has the time and the pod.
type lifecyclePacker struct {
	packer
	whole *messages.Lifecycle
	chunk *messages.Lifecycle
	parts []messages.Part
}

func lifecycleChunks(l *messages.Lifecycle, limit int) []messages.Part {
	base := envelopeBytes + elementBytes + len(cleanText(l.PodName))
	p := &lifecyclePacker{packer: packer{limit: limit, base: base, used: base}, whole: l}
	p.chunk = p.next()
	for i := range l.Reports {
		p.addReport(&l.Reports[i])
	}
	for i := range l.Groups {
		p.addGroup(&l.Groups[i])
	}
	return append(p.parts, p.chunk)
}

func (p *lifecyclePacker) next() *messages.Lifecycle {
	return &messages.Lifecycle{At: p.whole.At, PodName: p.whole.PodName}
}

// room makes sure that the chunk has room for an element of the size, which it then counts.
func (p *lifecyclePacker) room(bytes int) {
	if !p.fits(bytes) {
		p.parts, p.chunk = append(p.parts, p.chunk), p.next()
	}
}

// close ends the chunk if there is something in it.
func (p *lifecyclePacker) close() {
	if p.used > p.base {
		p.parts, p.chunk, p.used = append(p.parts, p.chunk), p.next(), p.base
	}
}

// minPieceBytes is the least that a report is cut into, whatever the limit is.
const minPieceBytes = 1 << 10

// addReport adds a report. One that is too long for a chunk goes on in the next one.
func (p *lifecyclePacker) addReport(r *messages.LifecycleReport) {
	name, text := cleanText(r.Filename), Clean(r.JSON, MaxReportBytes)
	around := len(name) + 4*elementBytes
	room := max(p.limit-p.base-around, minPieceBytes)
	for len(text) > room {
		p.close()
		first, rest := cutText(text, room)
		p.chunk.Reports = append(p.chunk.Reports, messages.LifecycleReport{Filename: r.Filename, JSON: first, Continues: true})
		p.used += around + len(first)
		text = rest
		p.close()
	}
	if len(p.chunk.Reports) == maxReports {
		p.close()
	}
	p.room(around + len(text))
	p.chunk.Reports = append(p.chunk.Reports, messages.LifecycleReport{Filename: r.Filename, JSON: text, Continues: r.Continues})
}

// addGroup adds a group. One that is too long for a chunk becomes several of its name.
func (p *lifecyclePacker) addGroup(g *messages.LifecycleGroup) {
	if bytes := sizeOf(GroupFrame(*g)); bytes <= p.limit-p.base {
		p.room(bytes)
		p.chunk.Groups = append(p.chunk.Groups, *g)
		return
	}
	p.close()
	// Each of its chunks has the name.
	header := 2*elementBytes + len(cleanText(g.Name))
	p.base, p.used = p.base+header, p.base+header
	(&groupSplitter{lifecyclePacker: p, name: g.Name}).split(g)
	p.base -= header
}

// groupSplitter puts one group into several chunks of which it is the only group.
type groupSplitter struct {
	*lifecyclePacker
	name string
}

// add returns the group of a chunk that has room for an element of the size.
func (s *groupSplitter) add(bytes int) *messages.LifecycleGroup {
	s.room(bytes)
	if len(s.chunk.Groups) == 0 {
		s.chunk.Groups = []messages.LifecycleGroup{{Name: s.name}}
	}
	return &s.chunk.Groups[0]
}

func (s *groupSplitter) split(g *messages.LifecycleGroup) {
	head := messages.LifecycleGroup{Name: g.Name, Catalog: g.Catalog, Resources: g.Resources}
	*s.add(sizeOf(GroupFrame(head))) = head
	for i := range g.Data {
		s.addData(&g.Data[i])
	}
	for _, text := range g.Errors[:min(len(g.Errors), maxGroupErrors)] {
		to := s.add(len(cleanText(text)) + elementBytes)
		to.Errors = append(to.Errors, text)
	}
	if g.Consistency != nil {
		s.addConsistency(g.Consistency)
	}
}

// addData adds what a node has. The segments that do not fit go on under the node's name, and have no
// size of their own.
func (s *groupSplitter) addData(d *messages.DataInfo) {
	bytes := sizeOf(toDataInfo(*d))
	if bytes <= s.limit-s.base || d.Node == nil || d.Node.Metadata.Name == "" {
		to := s.add(bytes)
		to.Data = append(to.Data, *d)
		return
	}
	piece := messages.DataInfo{Node: d.Node, DataSizeBytes: d.DataSizeBytes}
	to := s.add(sizeOf(toDataInfo(piece)))
	to.Data = append(to.Data, piece)
	again := messages.DataInfo{Node: &messages.DatabaseNode{Metadata: messages.DatabaseMetadata{Name: d.Node.Metadata.Name}}}
	for _, segment := range d.Segments {
		to := s.add(sizeOf(toSegment(segment)))
		if len(to.Data) == 0 {
			s.used += sizeOf(toDataInfo(again))
			to.Data = []messages.DataInfo{again}
		}
		last := &to.Data[len(to.Data)-1]
		last.Segments = append(last.Segments, segment)
	}
}

// addConsistency says the status in each piece.
func (s *groupSplitter) addConsistency(c *messages.SchemaConsistency) {
	const header = 2 * elementBytes
	of := func(bytes int) *messages.SchemaConsistency {
		to := s.add(bytes + header)
		if to.Consistency == nil {
			to.Consistency = &messages.SchemaConsistency{Status: c.Status}
		} else {
			s.used -= header
		}
		return to.Consistency
	}
	of(0)
	for i := range c.Objects {
		to := of(sizeOf(toConsistency(&messages.SchemaConsistency{Objects: c.Objects[i : i+1]})))
		to.Objects = append(to.Objects, c.Objects[i])
	}
	for i := range c.Issues {
		to := of(sizeOf(toConsistency(&messages.SchemaConsistency{Issues: c.Issues[i : i+1]})))
		to.Issues = append(to.Issues, c.Issues[i])
	}
}
