package actors

import (
	"cmp"
	"slices"

	"fodc/messages"
)

// Counts returns counts for each kind that was ever spawned. The code names a fixed number
// of kinds. It reads the table and asks no actor.
func (s *System) Counts() messages.ActorCounts {
	byKind := map[string]*messages.KindCounts{}
	s.table.mu.RLock()
	for name, k := range s.table.kinds {
		byKind[name] = &messages.KindCounts{Kind: name, Restarts: k.restarts, Failures: k.failures}
	}
	for _, m := range s.table.live {
		byKind[m.kind].Alive++
		byKind[m.kind].Mailbox += m.waiting()
	}
	s.table.mu.RUnlock()
	c := messages.ActorCounts{DeadLetters: s.deadLetters.total.Load(), LateReplies: s.deadLetters.late.Load()}
	for _, k := range byKind {
		c.Kinds = append(c.Kinds, *k)
	}
	slices.SortFunc(c.Kinds, func(a, b messages.KindCounts) int { return cmp.Compare(a.Kind, b.Kind) })
	return c
}
