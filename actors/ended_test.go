package actors

import (
	"fmt"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// endedOf makes endedActors of words, each "kind", or "kind!" for a failure.
func endedOf(script string) (all endedActors) {
	for n, word := range strings.Fields(script) {
		all.add(endedActorOf(n, word))
	}
	return all
}

func endedActorOf(n int, word string) endedActor {
	of, failed := strings.CutSuffix(word, "!")
	return endedActor{messages.EndedActor{ID: fmt.Sprint(n), Kind: of}, failed}
}

// counts returns how many endedActors there are of a kind, failures apart.
func counts(all endedActors) map[string]int {
	m := map[string]int{}
	for _, e := range all {
		if e.failed {
			m[e.Kind+"!"]++
		} else {
			m[e.Kind]++
		}
	}
	return m
}

func TestEndingsOfManyCollectionsLeaveTheRest(t *testing.T) {
	f := func(script string, want map[string]int) {
		t.Helper()
		require.Equal(t, want, counts(endedOf(script)))
	}
	many := func(word string) string { return strings.Repeat(word+" ", 1000) }
	f("", map[string]int{})
	f(many("collect"), map[string]int{"collect": 50})
	f("session session link! "+many("collect"), map[string]int{"session": 2, "link!": 1, "collect": 47})
	f("collect! "+many("collect"), map[string]int{"collect!": 1, "collect": 49})
	f(many("collect")+many("session"), map[string]int{"collect": 25, "session": 25})
	f(many("collect session"), map[string]int{"collect": 25, "session": 25})
	f(many("collect")+"session", map[string]int{"collect": 49, "session": 1})
	f(many("collect")+many("session")+"link scraper!", map[string]int{"collect": 24, "session": 24, "link": 1, "scraper!": 1})
}

func TestEndingsKeepTheNewestOfEachGroup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.SampledFrom([]string{"a", "a", "a", "a!", "b", "c", "c!"})).Draw(t, "words")
		all := endedOf(strings.Join(words, " "))
		require.LessOrEqual(t, len(all), maxEnded)
		require.Len(t, all, min(len(words), maxEnded))
		given := map[group][]string{}
		for n, word := range words {
			e := endedActorOf(n, word)
			given[e.group()] = append(given[e.group()], e.ID)
		}
		kept := map[group][]string{}
		for i, e := range all {
			kept[e.group()] = append(kept[e.group()], e.ID)
			require.True(t, i == 0 || number(t, all[i-1].ID) < number(t, e.ID), "in the order in which they came")
		}
		for g, ids := range given {
			require.Equal(t, ids[len(ids)-len(kept[g]):], kept[g], "the newest of %v", g)
			require.GreaterOrEqual(t, len(kept[g]), min(len(ids), maxEnded/len(given)), "its share of the room")
		}
		list := all.newestFirst()
		require.Len(t, list, len(all))
		for i := range list {
			require.Equal(t, all[len(all)-1-i].EndedActor, list[i])
		}
	})
}

func number(t require.TestingT, text string) (n int) {
	_, err := fmt.Sscan(text, &n)
	require.NoError(t, err)
	return n
}
