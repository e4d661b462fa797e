package actors

import (
	"cmp"
	"slices"
)

// Counts is the system in numbers.
type Counts struct {
	Kinds       []KindCounts // sorted by kind
	DeadLetters uint64       // since the start
	// LateReplies are answers to an Ask that did not wait any more, and second
	// answers, since the start.
	LateReplies uint64
}

// KindCounts is what the actors of one kind add up to.
type KindCounts struct {
	Kind     string
	Alive    int
	Mailbox  int64  // messages that wait
	Restarts uint64 // since the start, like Failures
	Failures uint64
}

// Counts returns the numbers for all kinds that ever were; there are only as many as
// the program's text names.
func (s *System) Counts() Counts {
	byKind := map[string]*KindCounts{}
	s.census.mu.RLock()
	for name, k := range s.census.kinds {
		byKind[name] = &KindCounts{Kind: name, Restarts: k.restarts, Failures: k.failures}
	}
	for _, m := range s.census.live {
		byKind[m.kind].Alive++
		byKind[m.kind].Mailbox += m.waiting()
	}
	s.census.mu.RUnlock()
	c := Counts{DeadLetters: s.deadLetters.total.Load(), LateReplies: s.deadLetters.late.Load()}
	for _, k := range byKind {
		c.Kinds = append(c.Kinds, *k)
	}
	slices.SortFunc(c.Kinds, func(a, b KindCounts) int { return cmp.Compare(a.Kind, b.Kind) })
	return c
}
