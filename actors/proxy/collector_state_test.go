package proxy

import (
	"reflect"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

var noon = time.Unix(43200, 0)

func query(deadline time.Duration, nodeIDs ...string) messages.Query {
	return messages.Query{Filter: messages.NodeFilter{NodeIDs: nodeIDs}, Deadline: noon.Add(deadline)}
}

func TestIdenticalQueriesShareACollection(t *testing.T) {
	s := newCollectorState(16)
	first, start, err := s.admit(1, query(5*time.Second), noon)
	require.NoError(t, err)
	require.True(t, start)

	shares := func(q messages.Query, at time.Duration, want bool) {
		t.Helper()
		id, start, err := s.admit(99, q, noon.Add(at))
		require.NoError(t, err)
		require.Equal(t, want, !start)
		require.Equal(t, want, id == first)
		s.cancel(99)
	}
	shares(query(5*time.Second), 0, true)
	shares(query(5500*time.Millisecond), 500*time.Millisecond, true)
	shares(query(5*time.Second), time.Second, false) // too old
	shares(query(4900*time.Millisecond), 0, false)   // would get its answer too late
	shares(query(6100*time.Millisecond), 0, false)   // would be cut short
	shares(query(5*time.Second, "n1"), 0, false)     // another filter
	shares(messages.Query{Deadline: noon.Add(5 * time.Second), Selection: messages.Selection{Names: []string{"up"}}}, 0, false)
	shares(messages.Query{Deadline: noon.Add(5 * time.Second), Selection: messages.Selection{Window: messages.Window{End: noon}}}, 0, false)
}

// A request that is in a hurry does not cut short one that is less so.
func TestSharingCostsAFifthOfTheTimeAtMost(t *testing.T) {
	s := newCollectorState(16)
	_, _, err := s.admit(1, query(100*time.Millisecond), noon)
	require.NoError(t, err)
	_, start, err := s.admit(2, query(125*time.Millisecond), noon)
	require.NoError(t, err)
	require.False(t, start)
	_, start, err = s.admit(3, query(126*time.Millisecond), noon)
	require.NoError(t, err)
	require.True(t, start)
}

func TestQuestionsAreNotConfused(t *testing.T) {
	differ := func(a, b messages.Query) {
		t.Helper()
		require.NotEqual(t, queryKey(a), queryKey(b))
	}
	differ(query(0, "a b"), query(0, "a", "b"))
	differ(query(0, `a" "b`), query(0, "a", "b"))
	differ(messages.Query{Filter: messages.NodeFilter{Roles: []string{"x"}}}, messages.Query{Filter: messages.NodeFilter{PodNames: []string{"x"}}})
	differ(messages.Query{Selection: messages.Selection{Window: messages.Window{Start: noon}}},
		messages.Query{Selection: messages.Selection{Window: messages.Window{End: noon}}})
	asked := func(q messages.Question) messages.Query { return messages.Query{Question: q} }
	differ(messages.Query{}, asked(messages.TopologyQuestion{}))
	differ(asked(messages.TopologyQuestion{}), asked(messages.LifecycleQuestion{}))
	differ(asked(messages.ProfileQuestion{ProfileID: "a", Type: "heap"}), asked(messages.ProfileQuestion{ProfileID: "a", Type: "goroutine"}))
	differ(asked(messages.ProfileQuestion{Offset: 1}), asked(messages.ProfileQuestion{Length: 1}))
	for _, q := range []messages.Query{{CorrectClocks: true}, {Yields: true}, {Filter: messages.NodeFilter{OrUnsaid: true}}, {Selection: messages.Selection{ScrapeTimes: true}}, {Selection: messages.Selection{SeriesOnly: true}}} {
		differ(messages.Query{}, q)
	}
	differ(messages.Query{Selection: messages.Selection{ScrapeTimes: true}}, messages.Query{Selection: messages.Selection{SeriesOnly: true}})
}

// All but the deadline counts: a field that is added to a query has to be in the key, too.
func TestAQueryHasNoOtherFields(t *testing.T) {
	require.Equal(t, 6, reflect.TypeFor[messages.Query]().NumField())
	require.Equal(t, 4, reflect.TypeFor[messages.Selection]().NumField())
	require.Equal(t, 4, reflect.TypeFor[messages.NodeFilter]().NumField())
}

func TestRequestsOverTheLimitAreRefused(t *testing.T) {
	s := newCollectorState(2)
	id, _, err := s.admit(1, query(5*time.Second), noon)
	require.NoError(t, err)
	_, _, err = s.admit(2, query(5*time.Second), noon)
	require.NoError(t, err)
	_, _, err = s.admit(3, query(5*time.Second), noon)
	var e *messages.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, messages.ErrUnavailable, e.Kind)
	require.Contains(t, e.Text, "--max-collections")

	require.Equal(t, []uint64{1, 2}, s.ended(id))
	require.Nil(t, s.ended(id))
	_, start, err := s.admit(4, query(5*time.Second), noon)
	require.NoError(t, err)
	require.True(t, start)
}

// What the proxy asks by itself keeps no client from asking.
func TestOwnRequestsTakeNoRoom(t *testing.T) {
	s := newCollectorState(1)
	own := messages.Query{Question: messages.CrashQuestion{}, Deadline: noon.Add(5 * time.Second)}
	id, start := s.admitOwn(1, own, noon)
	require.True(t, start)
	shared, start, err := s.admit(2, own, noon)
	require.NoError(t, err)
	require.False(t, start)
	require.Equal(t, id, shared)
	_, _, err = s.admit(3, query(5*time.Second), noon)
	require.Error(t, err)
	_, start = s.admitOwn(4, query(5*time.Second), noon)
	require.True(t, start)
	require.Equal(t, []uint64{1, 2}, s.ended(id))
	require.Zero(t, s.serving)
	require.NotZero(t, s.cancel(4))
	require.Zero(t, s.serving)
	require.Empty(t, s.own)
}

func TestLastWaiterCancelsTheCollection(t *testing.T) {
	s := newCollectorState(2)
	id, _, _ := s.admit(1, query(5*time.Second), noon)
	_, _, _ = s.admit(2, query(5*time.Second), noon)
	require.Zero(t, s.cancel(1))
	require.Zero(t, s.cancel(1))
	require.Equal(t, id, s.cancel(2))
	require.Zero(t, s.serving)
	require.Empty(t, s.running)
	require.Nil(t, s.ended(id))
}

func TestWhichCollectionsGoFirst(t *testing.T) {
	s := newCollectorState(16)
	admit := func(requestID uint64, yields bool, at time.Duration) uint64 {
		q := query(5*time.Second, itoa(int(requestID)))
		q.Yields = yields
		id, _, err := s.admit(requestID, q, noon.Add(at))
		require.NoError(t, err)
		return id
	}
	f := func(want time.Duration, yielding ...uint64) {
		t.Helper()
		if want == 0 {
			require.Zero(t, s.pagesUntil())
		} else {
			require.Equal(t, want, s.pagesUntil().Sub(noon))
		}
		require.ElementsMatch(t, yielding, s.yielding())
	}
	f(0)
	_, _, err := s.admit(9, messages.Query{Question: messages.TopologyQuestion{}, Deadline: noon.Add(5 * time.Second)}, noon)
	require.NoError(t, err)
	f(0)
	query := admit(1, true, 0)
	f(0, query)
	older := admit(2, false, 0)
	newer := admit(3, false, time.Second)
	f(time.Second+messages.MaxPrecedence, query)
	s.ended(newer)
	f(messages.MaxPrecedence, query)
	s.ended(query)
	f(messages.MaxPrecedence)
	require.Equal(t, older, s.cancel(2))
	f(0)
}
