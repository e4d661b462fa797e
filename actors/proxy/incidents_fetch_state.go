package proxy

import (
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// fetchProgress is how far the evidence of a node is in the store of the proxy.
type fetchProgress struct {
	// number is that of the newest question, and plan what it asked for.
	number uint64
	plan   fetchPlan
	// sent says that it was asked for, done that nothing more will come of it.
	sent, done bool
	missing    []messages.EvidenceMissing
	// wanted says that it is to be asked for again, not before next; agains counts how often it was since the agent has connected again.
	wanted bool
	next   time.Time
	agains int
}

// fetchPlan says what is fetched of a node.
type fetchPlan struct {
	from evidenceSource
	// early says that the node may still add to it: its samples are not there yet.
	early bool
}

// plan returns what is to be fetched of a node, which adds nothing to its evidence any more if it is closed. What an agent has
// captured is fetched while the incident is open: its host may be gone for good a minute later. Then what the proxy has kept of
// the node is beside that.
func (p *incidentPart) plan(closed bool) fetchPlan {
	switch {
	case !closed:
		return fetchPlan{from: evidenceOfAgent, early: true}
	case p.known && !p.open:
		return fetchPlan{from: evidenceOfAgent}
	case p.freeze.unserved:
		return fetchPlan{from: evidenceOfStream}
	}
	return fetchPlan{from: evidenceKept}
}

// renew has the evidence asked for once more. What comes of earlier questions does not count any more.
func (f *fetchProgress) renew() { f.sent, f.done, f.wanted = false, false, false }

// nextFetches returns what is to be fetched now. Nothing is before the incident is stored: what has no document is removed
// when the proxy starts again.
func (s *incidentsState) nextFetches(now time.Time) (fetches []fetchEvidence) {
	if !s.limits.onDisk {
		return nil
	}
	for _, e := range s.sorted() {
		if !e.isKept(now) {
			continue
		}
		waits := s.waitsForAgents(e, now)
		for i := range e.doc.Nodes {
			n := &e.doc.Nodes[i]
			p := e.parts[n.NodeID]
			p.fetch.renewDue(now)
			plan := p.plan(n.State != messages.IncidentOpen)
			if n.State == messages.IncidentCollected || (p.fetch.sent || p.fetch.done) && p.fetch.plan == plan || waits && !p.known {
				continue
			}
			f := fetchEvidence{incidentID: e.doc.ID, from: plan.from, node: *n}
			if f.node.Files = p.filesOf(n, plan); plan.early && (!p.known || len(f.node.Files) == 0) {
				continue
			}
			s.fetches++
			f.number = s.fetches
			p.fetch.number, p.fetch.plan, p.fetch.sent, p.fetch.done, p.fetch.wanted = f.number, plan, true, false, false
			fetches = append(fetches, f)
		}
	}
	return fetches
}

// filesOf returns the files of a node: those that its agent has named, and those that have come, of which the agent may say
// nothing any more, or not yet since the proxy has started again.
func (p *incidentPart) filesOf(n *messages.IncidentNode, plan fetchPlan) []messages.EvidenceFile {
	files := slices.Clone(p.files)
	for _, f := range n.Files {
		if !strings.HasPrefix(f.Path, blockDir(n.NodeID)) && !slices.ContainsFunc(files, func(o messages.EvidenceFile) bool { return o.Path == f.Path }) {
			files = append(files, f)
		}
	}
	if plan.early {
		files = slices.DeleteFunc(files, func(f messages.EvidenceFile) bool { return f.Path == windowPath(n.NodeID) })
	}
	return files
}

// fetched takes what has come of the evidence of a node. What was asked for before the newest question says nothing: that
// is answered, too.
func (s *incidentsState) fetched(m nodeFetched) {
	e := s.entries[m.incidentID]
	if e == nil || e.parts[m.nodeID] == nil {
		return
	}
	p := e.parts[m.nodeID]
	if !p.fetch.sent || p.fetch.number != m.number {
		return
	}
	p.fetch.done, p.fetch.missing = m.done, m.missing
	e.touched = true
	e.change(func(doc *messages.Incident) {
		setFiles(nodeOf(doc, m.nodeID), m.files[:min(len(m.files), messages.MaxEvidenceFiles)])
	})
}

// cannotComeAgain reports whether the files of a node that are in the store are nowhere else, as far as is known.
func (s *incidentsState) cannotComeAgain(e *incidentEntry, nodeID string) bool {
	a := s.agents[nodeID]
	return s.limits.onDisk && len(nodeOf(e.doc, nodeID).Files) > 0 && (a == nil || !a.online)
}

// setFiles sets the files that there are of a node.
func setFiles(n *messages.IncidentNode, files []messages.EvidenceFile) {
	n.Files, n.Bytes = files, 0
	for i := range files {
		n.Bytes += files[i].Bytes
	}
}

// withoutReplaced returns the files without those of which the agent has another one now, under the same name.
func withoutReplaced(files, named []messages.EvidenceFile) []messages.EvidenceFile {
	return slices.DeleteFunc(slices.Clone(files), func(f messages.EvidenceFile) bool {
		return slices.ContainsFunc(named, func(o messages.EvidenceFile) bool { return o.Path == f.Path && !sameFile(o, f) })
	})
}
