package evidence

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

func TestEvictionOrder(t *testing.T) {
	now := time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return now.Add(-time.Duration(n) * 24 * time.Hour) }
	down, oom, other := problemKey{"EndpointDown", "data-0"}, problemKey{"OomKill", "data-0"}, problemKey{"EndpointDown", "data-1"}
	f := func(why, want string, all ...candidate) {
		t.Helper()
		var got []string
		for _, c := range evictionOrder(all, now) {
			got = append(got, c.id)
		}
		require.Equal(t, want, strings.Join(got, " "), why)
	}
	seen := func(id string, days int, p ...problemKey) candidate {
		return candidate{id: id, at: day(days), seen: true, problems: p}
	}
	unseen := func(id string, days int, p ...problemKey) candidate {
		return candidate{id: id, at: day(days), problems: p}
	}
	f("the oldest first", "c b a", seen("a", 1), seen("b", 2), seen("c", 3))
	f("of one time, by the id", "a b", seen("b", 2), seen("a", 2))
	f("the first of a rule and node last", "b c a", seen("a", 30, down), seen("b", 2, down), seen("c", 1, down))
	f("another node, another first", "c a b", seen("a", 3, down), seen("b", 2, other), seen("c", 1, down))
	f("another rule, another first", "c a b", seen("a", 3, down), seen("b", 2, down, oom), seen("c", 1, down, oom))
	f("those that nobody has looked at behind those that somebody has", "b a c", unseen("a", 13), seen("b", 1), unseen("c", 1))
	f("but for 14 days only", "a b", unseen("a", 15), seen("b", 1))
	f("the first, also if it was seen, behind the unseen", "b a", seen("a", 3, down), unseen("b", 2, down))
	f("the first that nobody has looked at last of all", "b a", unseen("a", 3, down), seen("b", 1, oom))
	f("a first that stays is the first", "b", candidate{id: "a", at: day(3), kept: true, problems: []problemKey{down}}, seen("b", 2, down))
	f("what is left of one goes at once", "c a b", seen("a", 3), seen("b", 2), candidate{id: "c", at: day(1), deleted: true})
	f("what cannot be read may be a first", "b a", candidate{id: "a", at: day(3), unreadable: true}, unseen("b", 2))
	f("nothing", "")
}

func TestVictims(t *testing.T) {
	now := time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)
	all := []candidate{
		{id: "a", at: now.Add(-3 * time.Hour), bytes: 10, memory: 1},
		{id: "b", at: now.Add(-2 * time.Hour), bytes: 20, memory: 2},
		{id: "c", at: now.Add(-1 * time.Hour), bytes: 30, memory: 3},
		{id: "kept", kept: true, bytes: 1000, memory: 1000},
	}
	f := func(missing shortage, enough bool, want ...string) {
		t.Helper()
		got, ok := victims(all, missing, now)
		require.Equal(t, enough, ok)
		require.Equal(t, want, got)
	}
	f(shortage{}, true)
	f(shortage{bytes: 1}, true, "a")
	f(shortage{bytes: 10}, true, "a")
	f(shortage{bytes: 11}, true, "a", "b")
	f(shortage{bytes: 60}, true, "a", "b", "c")
	f(shortage{bytes: 61}, false)
	f(shortage{count: 2}, true, "a", "b")
	f(shortage{count: 4}, false)
	f(shortage{memory: 3, bytes: -5}, true, "a", "b")
	f(shortage{memory: 1, count: 1, bytes: 31}, true, "a", "b", "c")
}

func TestWhatStays(t *testing.T) {
	f := func(want bool, i messages.Incident) {
		t.Helper()
		require.Equal(t, want, newCandidate(&i).kept)
	}
	f(true, messages.Incident{State: messages.IncidentOpen})
	f(false, messages.Incident{State: messages.IncidentFrozen})
	f(false, messages.Incident{State: messages.IncidentCollected})
	f(true, messages.Incident{State: messages.IncidentCollected, Pinned: true})
	f(false, messages.Incident{State: "archived"}) // by a newer program
	f(true, messages.Incident{State: "archived", Pinned: true})

}

func TestTimeOfAnID(t *testing.T) {
	require.Equal(t, time.Date(2024, 11, 30, 0, 0, 0, 0, time.UTC).Truncate(24*time.Hour).Year(), timeOf("01JDZX3M9V5T6Q2W8R4Y7B1N0C").Year())
	require.EqualValues(t, 1, timeOf("00000000010000000000000000").UnixMilli())
}
