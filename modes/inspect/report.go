package inspect

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"fodc/recorder/journal"
)

// State is the state of a segment.
type State string

// The states of a segment.
const (
	// Closed segments are complete, and have an index.
	Closed State = "closed"
	// Open is the newest segment while it is not closed: an agent writes it, or was killed.
	Open State = "open"
	// Unclosed are older segments that were not closed: the agent was killed, or the disk failed.
	Unclosed State = "unclosed"
	// Damaged segments cannot be read to their end.
	Damaged State = "damaged"
	// Unreadable files cannot be read at all.
	Unreadable State = "unreadable"
)

// Report is what is said of a journal.
type Report struct {
	// Dir is the directory of the segments.
	Dir string
	// Verified: every record was read.
	Verified bool
	// Nodes are those whose samples there are; usually one.
	Nodes []Node
	// Segments are ascending by number. Those that cannot be read are in Damage alone.
	Segments []Segment
	Gaps     []Gap
	Damage   []Damage
	Totals
}

// Totals are those of all segments. From and To are unix milliseconds, and 0 if there is no scrape.
type Totals struct {
	From, To int64
	Scrapes  int
	Samples  int64
	// Bytes are those of all files, of unreadable ones, too.
	Bytes int64
}

// Node is a node, and how many segments there are of it.
type Node struct {
	journal.Node
	Segments int
}

// Segment is a segment with its state.
type Segment struct {
	journal.SegmentInfo
	State State
	// Node is the index in Report.Nodes.
	Node int
}

// Series returns how many series all targets of the segment have.
func (s *Segment) Series() (n int) {
	for _, t := range s.Targets {
		n += t.Series
	}
	return n
}

// Samples returns how many there are of all targets.
func (s *Segment) Samples() (n int64) {
	for _, t := range s.Targets {
		n += t.Samples
	}
	return n
}

// Damage is a place from which on a file cannot be read.
type Damage struct {
	File string
	// Offset is in bytes; negative: the file cannot be read at all.
	Offset int64
	Reason string
}

// New returns the report of a journal.
func New(dir string, v *journal.View) Report {
	r := Report{Dir: dir}
	for i, info := range v.Segments {
		s := Segment{SegmentInfo: info, Node: r.addNode(info.Node)}
		switch {
		case info.Damage != nil:
			s.State = Damaged
			r.Damage = append(r.Damage, Damage{info.Name, info.Damage.Offset, reason(info.Damage)})
		case info.Closed != 0:
			s.State = Closed
		case i == len(v.Segments)-1:
			s.State = Open
		default:
			s.State = Unclosed
		}
		r.Segments = append(r.Segments, s)
		r.add(&s)
	}
	for _, u := range v.Unreadable {
		r.Damage = append(r.Damage, Damage{u.Name, -1, strings.TrimPrefix(u.Err.Error(), u.Name+": ")})
		r.Bytes += u.Size
	}
	slices.SortStableFunc(r.Damage, func(a, b Damage) int { return cmp.Compare(a.File, b.File) })
	r.Gaps = findGaps(v.Segments)
	return r
}

func reason(d *journal.Damage) string {
	if d.Torn {
		return "the last record is cut off: " + d.Reason
	}
	return d.Reason
}

// addNode counts a segment of the node, and returns the node's index.
func (r *Report) addNode(n journal.Node) int {
	at := slices.IndexFunc(r.Nodes, func(known Node) bool {
		k := known.Node
		return k.NodeID == n.NodeID && k.Role == n.Role && k.PodName == n.PodName && k.AgentVersion == n.AgentVersion && maps.Equal(k.Labels, n.Labels)
	})
	if at < 0 {
		at = len(r.Nodes)
		r.Nodes = append(r.Nodes, Node{Node: n})
	}
	r.Nodes[at].Segments++
	return at
}

func (r *Report) add(s *Segment) {
	r.Bytes += s.Size
	scrapes := s.Scrapes()
	if scrapes == 0 {
		return
	}
	if r.Scrapes == 0 {
		r.From, r.To = s.MinTime, s.MaxTime
	}
	r.From, r.To = min(r.From, s.MinTime), max(r.To, s.MaxTime)
	r.Scrapes += scrapes
	r.Samples += s.Samples()
}

// bytesPerSample returns how many bytes a sample takes; 0: there are no samples.
func bytesPerSample(bytes, samples int64) float64 {
	if samples == 0 {
		return 0
	}
	return float64(bytes) / float64(samples)
}
