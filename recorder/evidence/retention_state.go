package evidence

import (
	"cmp"
	"slices"
	"time"

	"fodc/messages"
)

// unseenTime is how long an incident that nobody has looked at stays, where there is room: a crash of Friday
// is looked at on Monday week.
const unseenTime = 14 * 24 * time.Hour

// candidate is an incident, as the rules of retention see it.
type candidate struct {
	id string
	// kept is for one that is never removed: it is open, pinned, or being written.
	kept bool
	// deleted is for one of which something is left, unreadable for one whose document cannot be read.
	deleted, unreadable bool
	at                  time.Time
	seen                bool
	problems            []problemKey
	bytes, memory       int64
}

// problemKey is a rule that fired on a node. An incident is the first of it if none is older.
type problemKey struct{ rule, node string }

// rank says how late an incident is removed: those of a lower rank go first, of one rank the oldest.
type rank int

// The ranks. Of the unseen, those that are older than unseenTime count as seen. One that cannot be read may be
// the first of its rule.
const (
	rankDeleted rank = iota
	rankSeen
	rankUnseen
	rankFirstSeen
	rankFirstUnseen
)

// newCandidate returns what the rules need of a document.
func newCandidate(i *messages.Incident) candidate {
	c := candidate{
		id: i.ID, at: i.FirstOccurrence, seen: !i.SeenAt.IsZero(),
		kept: i.Pinned || i.State == messages.IncidentOpen, // Another state is one of a newer program, and has an end.
	}
	for r := range i.Rules {
		c.problems = append(c.problems, problemKey{i.Rules[r].Rule, i.Rules[r].NodeID})
	}
	return c
}

// shortage is what is missing, each at least 0.
type shortage struct{ bytes, count, memory int64 }

func (s shortage) isNone() bool { return s.bytes <= 0 && s.count <= 0 && s.memory <= 0 }

// victims returns the incidents that have to be removed, in their order, so that nothing is missing any more.
// If that cannot be, none: nothing is removed in vain.
func victims(all []candidate, missing shortage, now time.Time) (ids []string, enough bool) {
	for _, c := range evictionOrder(all, now) {
		if missing.isNone() {
			break
		}
		ids = append(ids, c.id)
		missing = shortage{missing.bytes - c.bytes, missing.count - 1, missing.memory - c.memory}
	}
	if !missing.isNone() {
		return nil, false
	}
	return ids, true
}

// evictionOrder returns the incidents that may be removed, in the order in which they are.
func evictionOrder(all []candidate, now time.Time) []candidate {
	first := firsts(all)
	ranks := map[string]rank{}
	var order []candidate
	for _, c := range all {
		if !c.kept {
			ranks[c.id] = rankOf(c, first, now)
			order = append(order, c)
		}
	}
	slices.SortFunc(order, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(ranks[a.id], ranks[b.id]), a.at.Compare(b.at), cmp.Compare(a.id, b.id))
	})
	return order
}

func rankOf(c candidate, first map[problemKey]string, now time.Time) rank {
	if c.deleted {
		return rankDeleted
	}
	isFirst := c.unreadable || slices.ContainsFunc(c.problems, func(p problemKey) bool { return first[p] == c.id })
	unseen := !c.seen && now.Sub(c.at) < unseenTime
	switch {
	case isFirst && unseen:
		return rankFirstUnseen
	case isFirst:
		return rankFirstSeen
	case unseen:
		return rankUnseen
	}
	return rankSeen
}

// firsts returns the oldest incident of each rule and node, whether it may be removed or not.
func firsts(all []candidate) map[problemKey]string {
	oldest := map[problemKey]candidate{}
	for _, c := range all {
		for _, p := range c.problems {
			if o, known := oldest[p]; !known || cmp.Or(c.at.Compare(o.at), cmp.Compare(c.id, o.id)) < 0 {
				oldest[p] = c
			}
		}
	}
	ids := make(map[problemKey]string, len(oldest))
	for p, c := range oldest {
		ids[p] = c.id
	}
	return ids
}
