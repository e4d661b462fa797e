package promstore

import (
	"context"
	"testing"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/require"
)

// After a failed scrape a selector has no value, as in a Prometheus that scraped the node itself.
func TestASeriesEndsWhereItsScrapeFailed(t *testing.T) {
	at := func(seconds int64) time.Time { return time.Unix(1e9+seconds, 0) }
	ms := func(seconds ...int64) (times []int64) {
		for _, s := range seconds {
			times = append(times, at(s).UnixMilli())
		}
		return times
	}
	c := &messages.Collection{Nodes: []messages.NodeAnswer{{Identity: messages.Identity{NodeID: "n"}, Blocks: []messages.Block{
		{Target: "t", Times: ms(0, 10, 20, 30, 40, 50)},
		{Target: "t", Times: ms(0, 10, 40, 50), Families: []messages.Family{{Name: "x", Series: []messages.Series{{Values: []float64{1, 2, 3, 4}}}}}},
	}}}}
	store := New(Config{Timeout: time.Second, Now: func() time.Time { return at(1000) },
		Collect: func(_ context.Context, q messages.Query) (*messages.Collection, func(), error) {
			require.True(t, q.Selection.ScrapeTimes)
			require.Equal(t, []string{"x"}, q.Selection.Names)
			return c, nil, nil
		}})
	engine := promqltest.NewTestEngine(t, false, 0, 1000)
	f := func(seconds int64, want string) {
		t.Helper()
		q, err := engine.NewInstantQuery(t.Context(), store.Queryable(Options{}), nil, "x", at(seconds))
		require.NoError(t, err)
		defer q.Close()
		r := q.Exec(t.Context())
		require.NoError(t, r.Err)
		require.Equal(t, want, r.String())
	}
	f(19, `{__name__="x", node_id="n"} => 2 @[1000000019000]`)
	f(20, ``)
	f(39, ``)
	f(40, `{__name__="x", node_id="n"} => 3 @[1000000040000]`)
	f(300, `{__name__="x", node_id="n"} => 4 @[1000000300000]`)
}
