package actors

import (
	"slices"

	"fodc/messages"
)

// maxEndings is how many of the actors that are gone are remembered.
const maxEndings = 50

// endings remembers the actors that ended last. What ends all the time must not make
// it forget what ends seldom: where it is full, the group that it holds most of loses
// its oldest.
type endings []ending // oldest first

type ending struct {
	messages.EndedActor
	failed bool // it was ended for a failure
}

// group is one of the sorts of endings that share the room.
type group struct {
	kind   string
	failed bool
}

func (e ending) group() group { return group{e.Kind, e.failed} }

func (all *endings) add(e ending) {
	*all = append(*all, e)
	if len(*all) > maxEndings {
		at := all.leastMissed()
		*all = slices.Delete(*all, at, at+1)
	}
}

// leastMissed returns the index of the oldest ending of the largest group; of groups
// of the same size, of the one that was there first.
func (all *endings) leastMissed() int {
	sizes := map[group]int{}
	largest := 0
	for _, e := range *all {
		sizes[e.group()]++
		largest = max(largest, sizes[e.group()])
	}
	return slices.IndexFunc(*all, func(e ending) bool { return sizes[e.group()] == largest })
}

// newestFirst returns a copy that is never nil.
func (all endings) newestFirst() []messages.EndedActor {
	list := make([]messages.EndedActor, 0, len(all))
	for _, e := range slices.Backward(all) {
		list = append(list, e.EndedActor)
	}
	return list
}
