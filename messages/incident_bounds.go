package messages

import (
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// Limits of the labels of an incident's node or rule.
const maxIncidentLabels = 64

// bound cuts the texts of a document to their limits, and replaces what is no time. What it cuts is of people
// who made rules, or of a peer that does not keep the limits.
func (i *Incident) bound() {
	cutTexts(&i.Severity, &i.Summary, &i.Reason, &i.RequestedBy, (*string)(&i.Kind), (*string)(&i.State))
	validTimes(&i.FirstOccurrence, &i.OpenedAt, &i.LastFiring, &i.FrozenAt, &i.From, &i.To, &i.SeenAt, &i.RepeatedAt)
	for n := range i.Rules {
		r := &i.Rules[n]
		cutTexts(&r.Rule, &r.NodeID, &r.Severity, &r.Summary, &r.Description)
		validTimes(&r.FirstOccurrence, &r.LastFiring)
		r.Labels = boundLabels(r.Labels)
	}
	for n := range i.Nodes {
		i.Nodes[n].bound()
	}
	for n := range i.Timeline {
		e := &i.Timeline[n]
		cutTexts(&e.NodeID, &e.Kind, &e.Text)
		validTimes(&e.At)
	}
	i.EventsDropped, i.Repeated = max(i.EventsDropped, 0), max(i.Repeated, 0)
}

// bound also makes Bytes the size of the files.
func (n *IncidentNode) bound() {
	cutTexts(&n.NodeID, &n.Role, &n.PodName, &n.AgentID, &n.IncidentID, (*string)(&n.Kind), (*string)(&n.State))
	validTimes(&n.From, &n.To)
	n.Labels = boundLabels(n.Labels)
	n.Bytes = 0
	for i := range n.Files {
		f := &n.Files[i]
		cutTexts(&f.What, &f.SHA256)
		f.Bytes = min(f.Bytes, maxEvidenceFileBytes)
		n.Bytes += f.Bytes
	}
	for i := range n.Missing {
		cutTexts(&n.Missing[i].What, &n.Missing[i].Reason)
	}
}

// maxEvidenceFileBytes bounds the size that is believed of a file, so that a sum of sizes is a number.
const maxEvidenceFileBytes = 1 << 40

func cutTexts(texts ...*string) {
	for _, text := range texts {
		if len(*text) <= MaxIncidentText {
			continue
		}
		end := MaxIncidentText
		for end > 0 && !utf8.RuneStart((*text)[end]) {
			end--
		}
		*text = string([]byte((*text)[:end])) // The rest is let go.
	}
}

// validTimes sets the times to UTC, and to zero what the document could not have again.
func validTimes(times ...*time.Time) {
	for _, t := range times {
		if *t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
			*t = time.Time{}
		}
	}
}

func boundLabels(labels map[string]string) map[string]string {
	if len(labels) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(labels))
	bounded := make(map[string]string, min(len(names), maxIncidentLabels))
	for _, name := range names[:min(len(names), maxIncidentLabels)] {
		value := labels[name]
		cutTexts(&name, &value)
		bounded[name] = value
	}
	return bounded
}
