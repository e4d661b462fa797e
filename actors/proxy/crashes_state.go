package proxy

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"fodc/messages"
)

// Limits of the crash records that a proxy keeps.
const (
	// maxCrashRecords and maxCrashBytes bound the records of all nodes.
	maxCrashRecords = 4096
	maxCrashBytes   = 64 << 20
	// maxCrashesOfNode bounds those of one node: as many as an agent keeps, and those that it has dropped
	// meanwhile.
	maxCrashesOfNode = 256
)

// crashState decides which crash records are kept, and what is to be done on disk. Records of nodes that
// are gone are kept like others.
//
// Where there is no room, the node with the most records loses one: its oldest one but for the first,
// which says how it began. So no node can make those of another disappear.
type crashState struct {
	// onDisk says that there is a disk.
	onDisk  bool
	records map[messages.CrashKey]*crashRecord
	nodes   map[string]*crashNode
	bytes   int
	// revisions are those of the records that have come of each agent, by agent id.
	revisions map[string]uint64
	// removals are the keys of records that are to be removed from the disk, unremoved those that could not
	// be since the last retry. A key is of a file that there is: so there are no more of them than files.
	removals, unremoved []messages.CrashKey
	// writing is the operation that is under way; nil: none.
	writing *crashWrite
}

type crashRecord struct {
	messages.KnownCrash
	bytes int
	// saved says that the disk has it, stored that it has it or an older version of it, failed that it could
	// not be written since the last retry.
	saved, stored, failed bool
}

// crashNode is the records of a node, the oldest one first.
type crashNode struct {
	keys  []messages.CrashKey
	bytes int
}

// crashWrite is an operation on the disk: a record is saved, or the one with the key is removed.
type crashWrite struct {
	save *messages.KnownCrash
	key  messages.CrashKey
}

func newCrashState(onDisk bool) *crashState {
	return &crashState{onDisk: onDisk, records: map[messages.CrashKey]*crashRecord{}, nodes: map[string]*crashNode{}, revisions: map[string]uint64{}}
}

// arrived adds a record, or replaces it by its newer version. It reports whether it was not known.
func (s *crashState) arrived(c messages.KnownCrash, now time.Time) (isNew bool) {
	c.KeptSince = now
	return s.put(c, false)
}

// loaded adds a record that is on disk. One that has arrived meanwhile is newer.
func (s *crashState) loaded(c messages.KnownCrash) {
	if has := s.records[c.Key()]; has != nil {
		has.KeptSince, has.stored = c.KeptSince, true
		return
	}
	s.put(c, true)
}

func (s *crashState) put(c messages.KnownCrash, saved bool) (isNew bool) {
	key := c.Key()
	has := s.records[key]
	if has != nil {
		c.KeptSince = has.KeptSince
		c.FetchedAt = has.FetchedAt // Each answer has another one.
		saved = has.saved && sameCrash(&has.KnownCrash, &c)
		if saved {
			c.AgentID = has.AgentID
		}
	}
	n := s.nodes[key.NodeID]
	if n == nil {
		n = &crashNode{}
		s.nodes[key.NodeID] = n
	}
	r := &crashRecord{KnownCrash: c, saved: saved, stored: saved || has != nil && has.stored, bytes: c.MemoryBytes()}
	if has == nil {
		at, _ := slices.BinarySearchFunc(n.keys, key, compareCrashes)
		n.keys = slices.Insert(n.keys, at, key)
	} else {
		s.bytes -= has.bytes
		n.bytes -= has.bytes
	}
	s.records[key] = r
	s.bytes += r.bytes
	n.bytes += r.bytes
	s.evict(key.NodeID)
	return has == nil
}

func compareCrashes(a, b messages.CrashKey) int {
	return cmp.Or(cmp.Compare(a.OccurredAt, b.OccurredAt), cmp.Compare(a.ArtifactDir, b.ArtifactDir))
}

// sameCrash reports whether two versions of a record are the same on disk, but for who has sent it.
func sameCrash(a, b *messages.KnownCrash) bool {
	p, q := &a.Panic, &b.Panic
	return a.SourceEndpoint == b.SourceEndpoint && slices.Equal(a.Files, b.Files) && p.Component == q.Component && p.PanicValue == q.PanicValue &&
		p.Recovered == q.Recovered && p.GoroutineStack == q.GoroutineStack && maps.Equal(p.ProcessMetadata, q.ProcessMetadata) &&
		slices.EqualFunc(p.Breadcrumbs, q.Breadcrumbs, func(x, y messages.Breadcrumb) bool {
			return x.Time.Equal(y.Time) && x.Stage == y.Stage && x.Component == y.Component && maps.Equal(x.Fields, y.Fields)
		}) && a.Identity.Role == b.Identity.Role && a.Identity.PodName == b.Identity.PodName && maps.Equal(a.Identity.Labels, b.Identity.Labels)
}

// evict removes records until the limits hold, first of the node that has got one.
func (s *crashState) evict(nodeID string) {
	for len(s.nodes[nodeID].keys) > maxCrashesOfNode {
		s.evictOf(nodeID)
	}
	for len(s.records) > maxCrashRecords || s.bytes > maxCrashBytes {
		s.evictOf(s.largest(len(s.records) > maxCrashRecords))
	}
}

// largest returns the node with the most records, or bytes of records. Of equals it is the first by name.
func (s *crashState) largest(byRecords bool) (nodeID string) {
	most := -1
	for id, n := range s.nodes {
		size := n.bytes
		if byRecords {
			size = len(n.keys)
		}
		if size > most || size == most && id < nodeID {
			nodeID, most = id, size
		}
	}
	return nodeID
}

// evictOf removes the oldest record of the node but for the first, or that if it is the only one.
func (s *crashState) evictOf(nodeID string) {
	n := s.nodes[nodeID]
	at := min(1, len(n.keys)-1)
	key := n.keys[at]
	n.keys = slices.Delete(n.keys, at, at+1)
	r := s.records[key]
	n.bytes -= r.bytes
	s.bytes -= r.bytes
	delete(s.records, key)
	if len(n.keys) == 0 {
		delete(s.nodes, nodeID)
	}
	if r.stored { // If it is being written, that is found out afterwards.
		s.removals = append(s.removals, key)
	}
}

// list returns the records of the nodes that the filter selects.
func (s *crashState) list(f *messages.NodeFilter) []messages.KnownCrash {
	var list []messages.KnownCrash
	for _, r := range s.records {
		if f.Selects(&r.Identity) {
			list = append(list, r.KnownCrash)
		}
	}
	return list
}

// answered takes the revisions of the answers of a collection. Those of agents that are not in it are
// forgotten if it was one of all nodes.
func (s *crashState) answered(c *messages.Collection, all bool) {
	known := map[string]uint64{}
	if !all {
		known = s.revisions
	}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		s.identified(n.Identity)
		if has, ok := s.revisions[n.AgentID]; ok {
			known[n.AgentID] = has
		}
		for _, p := range n.Parts {
			if revision, ok := p.(messages.CrashRevision); ok && n.Missing == messages.MissingNone {
				known[n.AgentID] = uint64(revision)
			}
		}
	}
	s.revisions = known
}

// identified takes who a node is. Its records that came before its role was known are of that role.
func (s *crashState) identified(id messages.Identity) {
	of := s.nodes[id.NodeID]
	if of == nil || !isRoleKnown(id.Role) {
		return
	}
	for _, key := range slices.Clone(of.keys) {
		if r := s.records[key]; r != nil && !isRoleKnown(r.Identity.Role) { // Others may have been evicted meanwhile.
			c := r.KnownCrash
			c.Identity = id
			s.put(c, false)
		}
	}
}

// question returns what agents are asked, given what of them is known.
func (s *crashState) question() messages.CrashQuestion {
	return messages.CrashQuestion{Known: maps.Clone(s.revisions), RevisionsOnly: true}
}

// withoutRecords returns the parts of an answer but for the records of crashes, which sessions send to those
// who keep them.
func withoutRecords(parts []messages.Part) []messages.Part {
	var kept []messages.Part
	for _, p := range parts {
		if _, record := p.(*messages.Crash); !record {
			kept = append(kept, p)
		}
	}
	return kept
}
