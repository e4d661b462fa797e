package actors

import (
	"cmp"
	"slices"

	"fodc/messages"
)

// Counts returns the system in numbers, for all kinds that ever were; there are only
// as many as the program's text names. It asks no actor.
func (s *System) Counts() messages.ActorCounts {
	byKind := map[string]*messages.KindCounts{}
	s.census.mu.RLock()
	for name, k := range s.census.kinds {
		byKind[name] = &messages.KindCounts{Kind: name, Restarts: k.restarts, Failures: k.failures}
	}
	for _, m := range s.census.live {
		byKind[m.kind].Alive++
		byKind[m.kind].Mailbox += m.waiting()
	}
	s.census.mu.RUnlock()
	c := messages.ActorCounts{DeadLetters: s.deadLetters.total.Load(), LateReplies: s.deadLetters.late.Load()}
	for _, k := range byKind {
		c.Kinds = append(c.Kinds, *k)
	}
	slices.SortFunc(c.Kinds, func(a, b messages.KindCounts) int { return cmp.Compare(a.Kind, b.Kind) })
	return c
}
