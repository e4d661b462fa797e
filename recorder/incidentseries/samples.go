package incidentseries

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fodc/messages"
	"fodc/recorder/blocks"
	"fodc/recorder/promstore"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

const (
	// blockDir is the directory of the blocks in that of a node.
	blockDir = "block"
	// metaFile and indexFile are in each block.
	metaFile, indexFile = "meta.json", "index"
	// maxReasonBytes bounds a reason for which there are no metrics.
	maxReasonBytes = 200
)

// samples is what an incident has for queries.
type samples struct {
	id     string
	doc    *messages.Incident
	nodes  []node
	blocks []string
	// more says what else is missing.
	more []string
}

// node is a node of an incident.
type node struct {
	id     string
	labels labels.Labels
	// dir is where its blocks are; missing says why there are none, or why some cannot be read.
	dir, missing string
}

// samplesOf returns the blocks that the document names, so none that is only half there.
func samplesOf(doc *messages.Incident, dir string) samples {
	s := samples{id: doc.ID, doc: doc}
	for i := range doc.Nodes {
		n := &doc.Nodes[i]
		id := messages.Registration{NodeID: n.NodeID, Role: n.Role, PodName: n.PodName, Labels: n.Labels}.Identity()
		// Without labels it is always selected.
		l, _ := promstore.NewNodeLabels(id).Labels("fodc_node_up", "")
		one := node{id: n.NodeID, labels: l, dir: filepath.Join(dir, doc.ID, filepath.FromSlash(n.Dir), blockDir)}
		names := blocksOf(n)
		for _, name := range names {
			s.blocks = append(s.blocks, filepath.Join(one.dir, name))
		}
		if len(names) == 0 {
			one.missing = missingOf(n)
		}
		s.nodes = append(s.nodes, one)
	}
	return s
}

// blocksOf returns the names of a node's blocks.
func blocksOf(n *messages.IncidentNode) (names []string) {
	has := map[string]int{}
	for i := range n.Files {
		p := n.Files[i].Path
		rest, isBlock := strings.CutPrefix(p, n.Dir+"/"+blockDir+"/")
		name, file := path.Split(rest)
		name = strings.TrimSuffix(name, "/")
		if !isBlock || !messages.ValidEvidencePath(p) || !messages.ValidIncidentID(name) || file != metaFile && file != indexFile {
			continue
		}
		if has[name]++; has[name] == 2 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// missingOf says why a node has no blocks.
func missingOf(n *messages.IncidentNode) string {
	for _, m := range n.Missing {
		switch m.What {
		case messages.EvidenceMetrics, messages.EvidenceWindow, "evidence":
			return fmt.Sprintf("%.*s", maxReasonBytes, m.Reason)
		}
	}
	switch {
	case n.State == messages.IncidentOpen:
		return "they come when the incident of the node is frozen"
	case n.State == messages.IncidentFrozen:
		return "they have not come yet"
	case slices.ContainsFunc(n.Files, func(f messages.EvidenceFile) bool { return f.What == messages.EvidenceWindow }):
		return "they are a journal's segment, of which no block could be made"
	default:
		return "there are none"
	}
}

// note notes what could not be opened.
func (s *samples) note(o *openIncident) {
	for _, d := range o.damaged {
		for i := range s.nodes {
			if n := &s.nodes[i]; filepath.Dir(d.Dir) == n.dir && n.missing == "" {
				n.missing = fmt.Sprintf("block %s cannot be read: %.*s", filepath.Base(d.Dir), maxReasonBytes, d.Err)
			}
		}
	}
	if o.leftOut > 0 {
		s.more = append(s.more, fmt.Sprintf("incident %s: queries read %d of its blocks, and %d not", s.id, len(s.blocks)-o.leftOut, o.leftOut))
	}
}

// lacks says what is missing of a selection.
func (s *samples) lacks(matchers []*labels.Matcher) (texts []string) {
	if len(s.blocks) == 0 && s.doc.State == messages.IncidentOpen {
		return []string{fmt.Sprintf("incident %s is open, and has no metrics yet: they come when nothing has fired for --incident-after, or after --incident-max-duration", s.id)}
	}
	byReason, all := map[string][]string{}, 0
	for _, n := range s.nodes {
		if !n.isSelected(matchers) {
			continue
		}
		if all++; n.missing != "" {
			byReason[n.missing] = append(byReason[n.missing], n.id)
		}
	}
	for reason, ids := range byReason {
		texts = append(texts, fmt.Sprintf("incident %s: no metrics (%s) of %s", s.id, reason, promstore.NodesOf(ids, all)))
	}
	if all == 0 {
		texts = append(texts, fmt.Sprintf("incident %s has no node that the query selects", s.id))
	}
	slices.Sort(texts)
	return append(texts, s.more...)
}

// isSelected reports whether series of the node may match.
func (n *node) isSelected(matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if m.Name != model.MetricNameLabel && n.labels.Has(m.Name) && !m.Matches(n.labels.Get(m.Name)) {
			return false
		}
	}
	return true
}

// elsewhere says that the evidence is of another time than the one that is asked for; empty: it is not. Times are in
// unix milliseconds.
func (s *samples) elsewhere(r *blocks.Reader, start, end int64) string {
	from, to, ok := r.Bounds()
	if !ok || start <= to && from <= end {
		return ""
	}
	return fmt.Sprintf("the metrics of incident %s are of the time from %s to %s, and the query is of another one", s.id, timeOf(from), timeOf(to))
}

func timeOf(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
