package promstore

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/require"
)

// text describes what was asked, with the times in seconds after t0.
func text(q messages.Query) string {
	of := func(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli()-t0)/1000, 'f', -1, 64) }
	var b strings.Builder
	switch s := q.Selection; {
	case s.Window.IsLatest():
		b.WriteString("latest")
	case s.SeriesOnly:
		b.WriteString("series " + of(s.Window.Start) + ".." + of(s.Window.End))
	case !s.ScrapeTimes:
		b.WriteString("no scrape times")
	default:
		b.WriteString(of(s.Window.Start) + ".." + of(s.Window.End))
	}
	if names := q.Selection.Names; names != nil {
		b.WriteString(" of " + strings.Join(names, ","))
	}
	for _, list := range [][]string{q.Filter.NodeIDs, q.Filter.Roles, q.Filter.PodNames} {
		if list != nil {
			b.WriteString(" on " + strings.Join(list, ","))
		}
	}
	if q.Filter.OrUnsaid {
		b.WriteString("?")
	}
	return b.String()
}

// asks returns what the agents are asked for a query, sorted.
func requests(t *testing.T, expression string, start, end, step time.Duration) []string {
	t.Helper()
	all := &agents{all: []agent{named("n", gauge(0, 1, "x", "y"))}, now: t0 + 1000}
	engine := promqltest.NewTestEngine(t, false, 0, 100_000)
	at := func(d time.Duration) time.Time { return time.UnixMilli(t0).Add(d) }
	var q promql.Query
	var err error
	if step == 0 {
		q, err = engine.NewInstantQuery(t.Context(), all.store().Queryable(Options{}), nil, expression, at(end))
	} else {
		q, err = engine.NewRangeQuery(t.Context(), all.store().Queryable(Options{}), nil, expression, at(start), at(end), step)
	}
	require.NoError(t, err)
	defer q.Close()
	require.NoError(t, q.Exec(t.Context()).Err)
	require.Equal(t, all.collected, all.released)
	var texts []string
	for _, asked := range all.asked {
		require.True(t, asked.CorrectClocks)
		require.Equal(t, time.UnixMilli(t0+1000).Add(10*time.Second), asked.Deadline)
		texts = append(texts, text(asked))
	}
	slices.Sort(texts)
	return texts
}

func TestOnlyWhatAnExpressionNeedsIsAskedFor(t *testing.T) {
	at := time.Duration(0)
	f := func(expression string, want ...string) {
		t.Helper()
		require.Equal(t, want, requests(t, expression, 0, at, 0))
	}
	f(`1 + 1`)
	f(`x`, "latest of x")
	f(`x{a="1"} + on() y`, "latest of x,y")
	f(`{__name__=~"x|y"}`, "latest of x,y")
	f(`{__name__=~"x.*"}`, "latest")
	f(`{__name__=~"x|y",__name__!="x"}`, "latest of y")
	f(`{__name__!="x",a="1"}`, "latest")
	f(`{a="1"}`, "latest")
	f(`{__name__="",a="1"}`)
	f(`x_bucket`, "latest of x,x_bucket")
	f(`x_sum / x_count`, "latest of x,x_count,x_sum")
	f(strings.Repeat("x", messages.MaxNameBytes), "latest of "+strings.Repeat("x", messages.MaxNameBytes))
	f(strings.Repeat("x", messages.MaxNameBytes+1)) // No sample can have such a name, and agents refuse it.
	f(`x{node_id="n"}`, "latest of x on n")
	f(`x{node_id=~"n|m"}`, "latest of x on m,n")
	f(`x{node_id=~"n|m",node_id!="m"}`, "latest of x on n")
	f(`x{node_id=~"n.*"}`, "latest of x")
	f(`x{node_id!="n"}`, "latest of x")
	f(`x{node_id="n"} or x{node_id="m"}`, "latest of x on m,n")
	f(`x{node_id="n"} or y`, "latest of x,y")
	f(`x{node_id="n",node_id="m"}`)
	f(`x{node_role="data"}`, "latest of x on data?")
	f(`x{node_role=""}`, "latest of x")
	f(`x{node_role=~"data|"}`, "latest of x")
	f(`x{pod_name="p",node_role="data"}`, "latest of x on data on p?")
	f(`fodc_agent_up`, "latest of fodc_agent_up")

	f(`rate(x[5m])`, "-299.999..0 of x")
	f(`rate(x[5m]) + on() rate(y[1m])`, "-299.999..0 of x,y")
	f(`x + on() rate(x[5m])`, "-299.999..0 of x") // The window has the latest samples.
	f(`x + on() rate(y[5m])`, "-299.999..0 of y", "latest of x")
	f(`x + on() x offset 1d`, "-86699.999..-86400 of x", "latest of x")
	f(`x offset 1d + on() y offset 1d`, "-86699.999..-86400 of x,y")
	f(`rate(x[1h]) + on() rate(y[1d])`, "-3599.999..0 of x", "-86399.999..0 of y")
	f(`rate(x[1h]) + on() rate(y[2h])`, "-7199.999..0 of x,y")
	f(`max_over_time(x[10m:1m])`, "-899.999..0 of x")
	f(`x @ 0`, "-1700000000..-1700000000 of x")
	f(`x offset 3s`, "-302.999..-3 of x on n", "latest of x") // The node has a newer sample.
	at = -time.Second
	f(`x`, "-300.999..-1 of x on n", "latest of x")
	at = 6 * time.Second
	f(`x`, "latest of x")
	at = -5 * time.Second
	f(`x`, "-304.999..-5 of x")
	at = 7 * time.Second
	f(`x`, "-292.999..7 of x") // This clock is ahead.
}

func TestARangeQueryAsksForItsRange(t *testing.T) {
	f := func(expression string, want ...string) {
		t.Helper()
		require.Equal(t, want, requests(t, expression, -time.Hour, 0, time.Minute))
	}
	f(`x`, "-3899.999..0 of x")
	f(`x + on() rate(y[1m])`, "-3899.999..0 of x,y")
	f(`x + on() y offset 1d`, "-3899.999..0 of x", "-90299.999..-86400 of y")
	f(`x + on() y offset 10m`, "-4499.999..0 of x,y")
}

// A query has few collections, however many windows it needs.
func TestCollectionsOfAQueryAreBounded(t *testing.T) {
	terms := []string{"x"}
	for i := range 40 {
		terms = append(terms, fmt.Sprintf("x offset %dh", i+1))
	}
	asked := requests(t, strings.Join(terms, " + on() "), 0, 0, 0)
	require.Len(t, asked, maxRequests)
	require.Contains(t, asked, "latest of x")
	oldest := -40*3600 - 299.999
	require.True(t, slices.ContainsFunc(asked, func(text string) bool { return strings.HasPrefix(text, fmt.Sprint(oldest)) }))
}

// A list of names is not longer than agents accept.
func TestMoreNamesThanAllowedAreAll(t *testing.T) {
	w := scope{names: make([]string, messages.MaxSelectedNames)}
	for i := range w.names {
		w.names[i] = fmt.Sprintf("x%05d", i)
	}
	w.add(&scope{names: []string{"x00000"}})
	require.Len(t, w.names, messages.MaxSelectedNames)
	w.add(&scope{names: []string{"y"}})
	require.Nil(t, w.names)
}

func TestWantsCover(t *testing.T) {
	f := func(want bool, all, some scope) {
		t.Helper()
		require.Equal(t, want, all.covers(&some))
	}
	f(true, scope{}, scope{})
	f(true, scope{}, scope{names: []string{"x"}, nodeIDs: []string{"n"}})
	f(false, scope{names: []string{"x"}}, scope{})
	f(true, scope{names: []string{"x", "y"}}, scope{names: []string{"y"}})
	f(false, scope{names: []string{"x", "y"}}, scope{names: []string{"y", "z"}})
	f(false, scope{roles: []string{"r"}}, scope{nodeIDs: []string{"n"}})
	f(false, scope{podNames: []string{"p"}}, scope{podNames: []string{"q"}})
}
