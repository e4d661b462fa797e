package inspect

import (
	"encoding/json"
	"io"
	"time"

	"fodc/modes/logsink"
	"fodc/recorder/journal"
)

// The JSON form of a report is described in docs/journal.md. Times are RFC 3339 in UTC, with
// milliseconds.
type (
	jsonReport struct {
		Directory string     `json:"directory"`
		Verified  bool       `json:"verified"`
		Nodes     []jsonNode `json:"nodes"`
		From      *jsonTime  `json:"from"`
		To        *jsonTime  `json:"to"`
		jsonSize
		Segments []jsonSegment `json:"segments"`
		Gaps     []jsonGap     `json:"gaps"`
		Damage   []jsonDamage  `json:"damage"`
	}
	jsonNode struct {
		NodeID       string            `json:"node_id"`
		Role         string            `json:"role"`
		PodName      string            `json:"pod_name"`
		Labels       map[string]string `json:"labels"`
		AgentVersion string            `json:"agent_version"`
		Segments     int               `json:"segments"`
	}
	jsonSize struct {
		Scrapes        int     `json:"scrapes"`
		Samples        int64   `json:"samples"`
		Bytes          int64   `json:"bytes"`
		BytesPerSample float64 `json:"bytes_per_sample"`
	}
	jsonSegment struct {
		Number      int64     `json:"number"`
		File        string    `json:"file"`
		State       State     `json:"state"`
		Pinned      bool      `json:"pinned"`
		NodeID      string    `json:"node_id"`
		Created     *jsonTime `json:"created"`
		Closed      *jsonTime `json:"closed"`
		From        *jsonTime `json:"from"`
		To          *jsonTime `json:"to"`
		FirstScrape int64     `json:"first_scrape"`
		LastScrape  int64     `json:"last_scrape"`
		Series      int       `json:"series"`
		jsonSize
		Targets []jsonTarget `json:"targets"`
		Marks   []jsonMark   `json:"marks"`
	}
	jsonTarget struct {
		Name    string    `json:"name"`
		From    *jsonTime `json:"from"`
		To      *jsonTime `json:"to"`
		Series  int       `json:"series"`
		Scrapes int       `json:"scrapes"`
		Samples int64     `json:"samples"`
	}
	jsonMark struct {
		At   *jsonTime `json:"at"`
		What string    `json:"what"`
	}
	jsonGap struct {
		From    *jsonTime `json:"from"`
		To      *jsonTime `json:"to"`
		Seconds float64   `json:"seconds"`
		Why     Why       `json:"why"`
	}
	jsonDamage struct {
		File   string `json:"file"`
		Offset *int64 `json:"offset"` // null: nothing of the file can be read
		Reason string `json:"reason"`
	}
	jsonTime struct{ time.Time }
)

// timeOf returns the time of unix milliseconds; nil: there is none.
func timeOf(ms int64) *jsonTime {
	if ms == 0 {
		return nil
	}
	return &jsonTime{time.UnixMilli(ms).UTC()}
}

// MarshalJSON implements json.Marshaler.
func (t jsonTime) MarshalJSON() ([]byte, error) {
	return []byte(t.Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// WriteJSON writes the report for programs, without what controls a terminal.
func (r *Report) WriteJSON(w io.Writer) error {
	j := jsonReport{Directory: r.Dir, Verified: r.Verified, From: timeOf(r.From), To: timeOf(r.To),
		jsonSize: jsonSize{r.Scrapes, r.Samples, r.Bytes, bytesPerSample(r.Bytes, r.Samples)},
		// Lists without elements are [], not null.
		Nodes: []jsonNode{}, Segments: []jsonSegment{}, Gaps: []jsonGap{}, Damage: []jsonDamage{}}
	for _, n := range r.Nodes {
		labels := n.Labels
		if labels == nil {
			labels = map[string]string{}
		}
		j.Nodes = append(j.Nodes, jsonNode{n.NodeID, n.Role, n.PodName, labels, n.AgentVersion, n.Segments})
	}
	for i := range r.Segments {
		j.Segments = append(j.Segments, segmentJSON(&r.Segments[i]))
	}
	for _, g := range r.Gaps {
		j.Gaps = append(j.Gaps, jsonGap{timeOf(g.From), timeOf(g.To), float64(g.To-g.From) / 1000, g.Why})
	}
	for _, d := range r.Damage {
		damage := jsonDamage{File: d.File, Reason: d.Reason}
		if d.Offset >= 0 {
			damage.Offset = &d.Offset
		}
		j.Damage = append(j.Damage, damage)
	}
	e := json.NewEncoder(logsink.NewWriter(w))
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(j)
}

func segmentJSON(s *Segment) jsonSegment {
	j := jsonSegment{Number: s.Number, File: s.Name, State: s.State, Pinned: s.Pinned, NodeID: s.SegmentInfo.Node.NodeID,
		Created: timeOf(s.Created), Closed: timeOf(s.Closed), From: timeOf(s.MinTime), To: timeOf(s.MaxTime),
		FirstScrape: s.FirstNumber, LastScrape: s.LastNumber, Series: s.Series(),
		jsonSize: jsonSize{s.Scrapes(), s.Samples(), s.Size, bytesPerSample(s.Size, s.Samples())},
		Targets:  []jsonTarget{}, Marks: []jsonMark{}}
	for _, t := range s.Targets {
		j.Targets = append(j.Targets, jsonTarget{t.Name, timeOf(t.MinTime), timeOf(t.MaxTime), t.Series, t.Scrapes, t.Samples})
	}
	for _, m := range s.Marks {
		j.Marks = append(j.Marks, jsonMark{timeOf(m.At), markName(m.Kind)})
	}
	return j
}

func markName(kind journal.MarkKind) string {
	switch kind {
	case journal.MarkAgentStarted:
		return "agent_started"
	case journal.MarkAgentStopped:
		return "agent_stopped"
	default:
		return "unknown" // of a later version
	}
}
