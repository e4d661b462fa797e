package proxy

import (
	"slices"
	"time"

	"fodc/messages"
)

// Two agents may have one node id, as one was copied or a host was replaced. Each has incidents of its own in its storage, perhaps
// under one id, since both were asked for them. What the agent of the one has frozen is not replaced by what the other one has.

// Limits of fetching again from an agent that connects again: at once the first time, then after refetchPause, which doubles up to
// maxRefetchPause.
const (
	refetchPause    = 10 * time.Second
	maxRefetchPause = 10 * time.Minute
)

// anotherStorage is what is said of the evidence that is not taken.
const anotherStorage = "another agent with this node id has evidence of its own of this incident, which is not taken"

// hasFrozen reports whether the agent of a node has frozen its evidence, as far as is known: then it is as it will be. A document of
// a former process says so if the node was collected, and its agent was there.
func (p *incidentPart) hasFrozen(n *messages.IncidentNode) bool {
	if n == nil {
		return false
	}
	if p.known {
		return !p.open
	}
	return n.State == messages.IncidentCollected && len(n.Files) > 0 &&
		!slices.ContainsFunc(n.Missing, func(m messages.EvidenceMissing) bool { return m.What == missingEvidence })
}

// isOfAnother reports whether a report is of another storage than the evidence that is kept of its node, and is not to take its
// place. While nothing is frozen, the incident that was opened last does: an agent without storage that starts again opens
// another one.
func (p *incidentPart) isOfAnother(n *messages.IncidentNode, r *report) bool {
	if n == nil || n.IncidentID != r.id {
		return false
	}
	frozen := p.hasFrozen(n)
	if !p.known {
		return frozen && len(withoutReplaced(n.Files, r.files)) < len(n.Files)
	}
	if r.opened.Equal(p.opened) {
		return false
	}
	return frozen || r.open && r.opened.Before(p.opened)
}

// ofAnother records that a report was not taken.
func (p *incidentPart) ofAnother(e *incidentEntry) {
	if !p.twice {
		p.twice, e.touched = true, true
	}
}

// withTwice returns what is missing of a node, with what was not taken.
func (p *incidentPart) withTwice(missing []messages.EvidenceMissing) []messages.EvidenceMissing {
	if m := (messages.EvidenceMissing{What: "files", Reason: anotherStorage}); p.twice && !slices.Contains(missing, m) {
		return append(missing[:len(missing):len(missing)], m)
	}
	return missing
}

// again has an agent asked again that has connected, for what has not come. An agent that connects again and again is asked less and
// less often.
func (f *fetchProgress) again(now time.Time) {
	if f.done && (f.plan.from != evidenceOfAgent || len(f.missing) == 0) {
		return
	}
	f.wanted = true
	f.renewDue(now)
}

// renewDue has the evidence asked for once more, if that is wanted and due.
func (f *fetchProgress) renewDue(now time.Time) {
	if !f.wanted || now.Before(f.next) {
		return
	}
	f.next = now.Add(min(refetchPause<<min(f.agains, 10), maxRefetchPause))
	f.agains++
	f.renew()
}
