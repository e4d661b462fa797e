package promstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"
)

// evaluate returns the result of an instant query some seconds after t0.
func evaluate(t *testing.T, all *agents, o Options, expression string, seconds float64) (result string, warnings, infos []string, err error) {
	t.Helper()
	engine := promqltest.NewTestEngine(t, false, 0, 100_000)
	q, err := engine.NewInstantQuery(t.Context(), all.store().Queryable(o), nil, expression, time.UnixMilli(t0+int64(seconds*1000)))
	require.NoError(t, err)
	defer q.Close()
	r := q.Exec(t.Context())
	warnings, infos = r.Warnings.AsStrings(expression, 0, 0)
	slices.Sort(warnings)
	slices.Sort(infos)
	if r.Err != nil {
		return "", warnings, infos, r.Err
	}
	require.Equal(t, all.collected, all.released)
	return r.String(), warnings, infos, nil
}

func TestAnInstantHasTheNewestSampleAtItsTime(t *testing.T) {
	late := named("late", gauge(0, 1, "x"), gauge(10_000, 2, "x"))
	early := named("early", gauge(1000, 3, "x"), gauge(8000, 4, "x"))
	ended := named("ended", gauge(1000, 5, "x"), failed(8000))
	all := &agents{all: []agent{early, ended, late}, now: t0 + 10_000}
	f := func(seconds float64, want string) {
		t.Helper()
		result, _, _, err := evaluate(t, all, Options{}, `sum by (node_id) (x)`, seconds)
		require.NoError(t, err)
		require.Equal(t, want, result)
	}
	f(10, `{node_id="early"} => 4 @[1700000010000]
{node_id="late"} => 2 @[1700000010000]`)
	f(9, `{node_id="early"} => 4 @[1700000009000]
{node_id="late"} => 1 @[1700000009000]`) // late was asked again, for the time before
	f(1, `{node_id="early"} => 3 @[1700000001000]
{node_id="ended"} => 5 @[1700000001000]
{node_id="late"} => 1 @[1700000001000]`)
}

func TestTimesAreCorrected(t *testing.T) {
	slow := named("slow", gauge(0, 1, "x"), failed(5000))
	slow.ClockOffset = 100 * time.Second
	fast := named("fast", gauge(200_000, 2, "x"))
	fast.ClockOffset = -90 * time.Second
	all := &agents{all: []agent{fast, slow}, now: t0 + 1e6}
	f := func(seconds float64, want string) {
		t.Helper()
		result, warnings, infos, err := evaluate(t, all, Options{}, `sum by (node_id) (x)`, seconds)
		require.NoError(t, err)
		require.Equal(t, want, result)
		require.Empty(t, warnings)
		require.Equal(t, []string{`the clocks of 2 nodes are off by up to 1m40s, which was corrected: "fast", "slow"`}, infos)
	}
	f(99, ``)
	f(100, `{node_id="slow"} => 1 @[1700000100000]`)
	f(105, ``)
	f(110, `{node_id="fast"} => 2 @[1700000110000]`)
}

// Agents in the field do not say when they scraped: their series end as those of exporters that
// have timestamps.
func TestSeriesOfBaselineAgentsEndByTheirAge(t *testing.T) {
	a := named("n", gauge(0, 1, "x"), gauge(10_000, 2, "x"), failed(20_000))
	a.baseline, a.AgentVersion = true, ""
	all := &agents{all: []agent{a}, now: t0 + 1e6}
	f := func(seconds float64, want string) {
		t.Helper()
		result, _, _, err := evaluate(t, all, Options{}, `sum(x)`, seconds)
		require.NoError(t, err)
		require.Equal(t, want, result)
	}
	f(309.999, `{} => 2 @[1700000309999]`)
	f(310, ``)
}

func TestMissingNodesAreWarningsOrErrors(t *testing.T) {
	missing := named("gone")
	missing.Missing = messages.MissingTimeout
	missing.Identity.Labels = map[string]string{"zone": "z"}
	partial := named("half", gauge(0, 1, "x"))
	partial.Partial = messages.PartialJournal
	whole := named("whole", gauge(0, 2, "x"))
	partial.Identity.Labels, whole.Identity.Labels = map[string]string{"zone": "y"}, map[string]string{"zone": "y"}
	all := &agents{all: []agent{missing, partial, whole}, now: t0}
	result, warnings, infos, err := evaluate(t, all, Options{}, `sum(x) + sum(x offset 1h) * 0 or sum(x)`, 0)
	require.NoError(t, err)
	require.Equal(t, `{} => 3 @[1700000000000]`, result)
	require.Equal(t, []string{`no answer (timeout) from 1 of 3 nodes: "gone"`, `only a part of the answer (journal) from 1 of 3 nodes: "half"`}, warnings)
	require.Empty(t, infos)
	f := func(expression, want string) {
		t.Helper()
		_, _, _, err := evaluate(t, all, Options{Strict: true}, expression, 0)
		if want == "" {
			require.NoError(t, err)
			return
		}
		var known *messages.Error
		require.ErrorAs(t, err, &known)
		require.Equal(t, messages.Errorf(messages.ErrUnavailable, "%s", want), known)
	}
	f(`x`, `no answer (timeout) from 1 of 3 nodes: "gone"; only a part of the answer (journal) from 1 of 3 nodes: "half"`)
	f(`x{node_zone="z"}`, `no answer (timeout) from 1 of 1 nodes: "gone"`)
	f(`x{node_id="whole"}`, ``)
	f(`x{node_id="unknown"}`, `no node is registered that the query selects; /cluster lists those that are`)
	f(`x{node_id="a",node_id="b"}`, ``)
	f(`1`, ``)

	// Without strict, an empty result says why it is empty.
	says := func(expression string, want ...string) {
		t.Helper()
		_, _, infos, err := evaluate(t, all, Options{}, expression, 0)
		require.NoError(t, err)
		require.ElementsMatch(t, want, infos)
	}
	says(`x{node_id="unknown"}`, `no node is registered that the query selects; /cluster lists those that are`)
	says(`x or x{node_zone="unknown"}`, `no node is registered that the query selects; /cluster lists those that are`)
	says(`unknown`)
	says(`x{node_id="a",node_id="b"}`)
	require.ErrorContains(t, Config{OwnNode: true}.strictError(nil), "the query selects none of the nodes that are here")
}

func TestManyNodesAreNotAllNamed(t *testing.T) {
	all := &agents{now: t0}
	for i := range 30 {
		a := named(string(rune('a' + i)))
		a.Missing = messages.MissingUnconnected
		all.all = append(all.all, a)
	}
	_, warnings, _, err := evaluate(t, all, Options{}, `x`, 0)
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Regexp(t, `^no answer \(unconnected\) from 30 of 30 nodes: "a", .*"t" and 10 more$`, warnings[0])
}

// An error of a collection is that of the query, and what was collected is released.
func TestErrorsOfCollections(t *testing.T) {
	all := &agents{all: []agent{named("n", gauge(0, 1, "x"))}, now: t0, err: messages.Errorf(messages.ErrTooLarge, "too large")}
	f := func(expression string) {
		t.Helper()
		_, _, _, err := evaluate(t, all, Options{}, expression, 0)
		require.ErrorIs(t, err, all.err)
		require.Equal(t, all.collected, all.released)
	}
	f(`x`)
	f(`x + x offset 1d + x offset 2d`)
	f(`rate(x[5m])`)
	_, _, err := all.store().Metadata(t.Context(), Options{}, "")
	require.ErrorIs(t, err, all.err)
	q, err := all.store().Queryable(Options{}).Querier(t0, t0)
	require.NoError(t, err)
	_, _, err = q.LabelNames(t.Context(), nil)
	require.ErrorIs(t, err, all.err)
	set := q.Select(t.Context(), true, nil, matcher("__name__", "x"))
	require.False(t, set.Next())
	require.False(t, set.Next())
	require.ErrorIs(t, set.Err(), all.err)
	require.NoError(t, q.Close())
	require.Equal(t, all.collected, all.released)
}

// The error that ends a query is the first one, not that of the collections that were given up for
// it.
func TestAFailureGivesUpOtherCollections(t *testing.T) {
	failure := errors.New("failed")
	given := make(chan error, 1)
	store := New(Config{Timeout: time.Minute, Now: func() time.Time { return time.UnixMilli(t0) },
		Collect: func(ctx context.Context, q messages.Query) (*messages.Collection, func(), error) {
			if !q.Selection.Window.IsLatest() {
				return nil, nil, failure
			}
			<-ctx.Done()
			given <- ctx.Err()
			return nil, nil, ctx.Err()
		}})
	engine := promqltest.NewTestEngine(t, false, 0, 1000)
	q, err := engine.NewInstantQuery(t.Context(), store.Queryable(Options{}), nil, "x + x offset 1d", time.UnixMilli(t0))
	require.NoError(t, err)
	defer q.Close()
	require.ErrorIs(t, q.Exec(t.Context()).Err, failure)
	require.ErrorIs(t, <-given, context.Canceled)
}

func TestACancelledQueryCancelsItsCollection(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	store := New(Config{Timeout: time.Minute, Now: func() time.Time { return time.UnixMilli(t0) },
		Collect: func(ctx context.Context, _ messages.Query) (*messages.Collection, func(), error) {
			cancel()
			<-ctx.Done()
			return nil, nil, context.Cause(ctx)
		}})
	q, err := store.Queryable(Options{}).Querier(t0, t0)
	require.NoError(t, err)
	defer q.Close()
	set := q.Select(ctx, false, nil)
	require.False(t, set.Next())
	require.ErrorIs(t, set.Err(), context.Canceled)
}

// A collection ends before the request that it is for, which shows what has arrived by then.
func TestDeadlines(t *testing.T) {
	now := time.UnixMilli(t0)
	var asked time.Time
	store := New(Config{Timeout: time.Minute, Now: func() time.Time { return now },
		Collect: func(ctx context.Context, q messages.Query) (*messages.Collection, func(), error) {
			_, bounded := ctx.Deadline()
			require.True(t, bounded)
			asked = q.Deadline
			return &messages.Collection{}, nil, nil
		}})
	f := func(ctx context.Context, want time.Duration) {
		t.Helper()
		q, err := store.Queryable(Options{}).Querier(t0, t0)
		require.NoError(t, err)
		require.False(t, q.Select(ctx, false, nil).Next())
		require.NoError(t, q.Close())
		require.Equal(t, now.Add(want), asked)
	}
	f(t.Context(), time.Minute)
	ctx, cancel := context.WithDeadline(t.Context(), now.Add(5*time.Second))
	defer cancel()
	f(ctx, 4500*time.Millisecond)
}

// What was never read collects nothing, and nothing is collected for a closed querier.
func TestCollectionsAreMadeWhenTheyAreRead(t *testing.T) {
	all := &agents{all: []agent{named("n", gauge(0, 1, "x", "y"))}, now: t0}
	q, err := all.store().Queryable(Options{}).Querier(t0, t0)
	require.NoError(t, err)
	one := q.Select(t.Context(), false, nil, matcher("__name__", "x"))
	two := q.Select(t.Context(), false, nil, matcher("__name__", "y"))
	require.Empty(t, one.Warnings())
	require.Empty(t, all.asked)
	require.True(t, one.Next())
	require.True(t, two.Next())
	require.Len(t, all.asked, 1)
	require.True(t, q.Select(t.Context(), false, nil, matcher("__name__", "y")).Next())
	require.Len(t, all.asked, 1) // It was collected before.
	require.True(t, q.Select(t.Context(), false, &storage.SelectHints{Start: t0 - 1, End: t0, Step: 1}, matcher("__name__", "y")).Next())
	require.Len(t, all.asked, 2)
	require.NoError(t, q.Close())
	require.NoError(t, q.Close())
	require.Equal(t, 2, all.released)
	late := q.Select(t.Context(), false, nil, matcher("__name__", "x"))
	require.False(t, late.Next())
	require.Error(t, late.Err())
	require.Len(t, all.asked, 2)
}

func TestAnswersWithoutACollectionAreAnError(t *testing.T) {
	store := New(Config{Timeout: time.Second, Now: time.Now, Collect: func(context.Context, messages.Query) (*messages.Collection, func(), error) { return nil, nil, nil }})
	q, err := store.Queryable(Options{}).Querier(t0, t0)
	require.NoError(t, err)
	set := q.Select(t.Context(), false, nil)
	require.False(t, set.Next())
	require.Error(t, set.Err())
}

func TestALimitBoundsSeries(t *testing.T) {
	all := &agents{all: []agent{named("m", gauge(0, 1, "x", "y")), named("n", gauge(0, 1, "x", "y"))}, now: t0}
	f := func(limit int, sort bool, want int) {
		t.Helper()
		q, err := all.store().Queryable(Options{}).Querier(t0, t0)
		require.NoError(t, err)
		defer q.Close()
		set := q.Select(t.Context(), sort, &storage.SelectHints{Start: t0, End: t0, Limit: limit, Func: "series"}, regexpMatcher("__name__", "x|y"))
		var found []labels.Labels
		for set.Next() {
			found = append(found, set.At().Labels())
		}
		require.Len(t, found, want)
		require.True(t, !sort || slices.IsSortedFunc(found, labels.Compare))
		require.Equal(t, "series 0..0 of x,y", text(all.asked[0]))
	}
	f(0, true, 4)
	f(0, false, 4)
	f(3, true, 3)
	f(3, false, 3)
	f(5, true, 4)
}

// A panic is that of the caller, who knows what to do, also where a goroutine of its own collects.
func TestACollectionThatPanics(t *testing.T) {
	released := 0
	store := New(Config{Timeout: time.Second, Now: time.Now, Collect: func(_ context.Context, q messages.Query) (*messages.Collection, func(), error) {
		if q.Selection.Window.End.Before(time.UnixMilli(t0)) {
			panic("broken")
		}
		return &messages.Collection{}, func() { released++ }, nil
	}})
	q, err := store.Queryable(Options{}).Querier(0, t0)
	require.NoError(t, err)
	set := q.Select(t.Context(), false, &storage.SelectHints{Start: t0 - 1000, End: t0}, matcher("__name__", "x"))
	q.Select(t.Context(), false, &storage.SelectHints{Start: t0 - 3_601_000, End: t0 - 3_600_000}, matcher("__name__", "x"))
	defer func() {
		require.Contains(t, recover(), "broken\n")
		require.NoError(t, q.Close())
		require.Equal(t, 1, released)
	}()
	set.Next()
}

// A selection ends with its query, also while nothing matches and no series comes.
func TestASelectionEndsWithItsQuery(t *testing.T) {
	n := 10 * comparisonsPerLook
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("m%d", i)
	}
	all := &agents{all: []agent{named("n", gauge(0, 1, names...))}, now: t0}
	f := func(sorted bool, matchers ...*labels.Matcher) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		store := New(Config{Timeout: time.Second, Now: time.Now, Collect: func(ctx context.Context, q messages.Query) (*messages.Collection, func(), error) {
			defer cancel()
			return all.collect(ctx, q)
		}})
		q, err := store.Queryable(Options{}).Querier(t0-1000, t0)
		require.NoError(t, err)
		defer func() { require.NoError(t, q.Close()) }()
		set := q.Select(ctx, sorted, nil, matchers...)
		found := 0
		for set.Next() {
			found++
		}
		require.Less(t, found, n)
		require.ErrorIs(t, set.Err(), context.Canceled)
		require.False(t, set.Next())
		require.ErrorIs(t, set.Err(), context.Canceled)
	}
	f(false, regexpMatcher("__name__", "m.*"))
	f(true, regexpMatcher("__name__", "m.*"))
	f(false, regexpMatcher("__name__", "x.*"))
	f(false, regexpMatcher("__name__", "m.*"), regexpMatcher("x", "y.*"))
}
