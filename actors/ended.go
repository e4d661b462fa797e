package actors

import (
	"slices"

	"fodc/messages"
)

// maxEnded is how many ended actors are kept.
const maxEnded = 50

// endedActors keeps the actors that ended last, maxEnded of them. Kinds that end often do
// not push out those that end seldom: a full list drops the oldest entry of its largest
// group.
type endedActors []endedActor // oldest first

type endedActor struct {
	messages.EndedActor
	failed bool // stopped by its supervisor after a panic
}

// group is what entries are counted by.
type group struct {
	kind   string
	failed bool
}

func (e endedActor) group() group { return group{e.Kind, e.failed} }

func (all *endedActors) add(e endedActor) {
	*all = append(*all, e)
	if len(*all) > maxEnded {
		at := all.toEvict()
		*all = slices.Delete(*all, at, at+1)
	}
}

// toEvict returns the index of the oldest entry of the largest group. Of groups of the same
// size it takes the one with the older entry.
func (all *endedActors) toEvict() int {
	sizes := map[group]int{}
	largest := 0
	for _, e := range *all {
		sizes[e.group()]++
		largest = max(largest, sizes[e.group()])
	}
	return slices.IndexFunc(*all, func(e endedActor) bool { return sizes[e.group()] == largest })
}

// newestFirst returns a copy that is never nil.
func (all endedActors) newestFirst() []messages.EndedActor {
	list := make([]messages.EndedActor, 0, len(all))
	for _, e := range slices.Backward(all) {
		list = append(list, e.EndedActor)
	}
	return list
}
