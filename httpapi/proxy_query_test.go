package httpapi

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// queryProxy is a proxy whose collections the test makes.
func queryProxy(collections int, collect func(ctx context.Context, q messages.Query) (*messages.Collection, error)) *fakeProxy {
	p := newFakeProxy()
	p.MaxQueryCollections, p.Collect = collections, collect
	p.handler = p.Handler()
	return p
}

// inTime is a query with ten seconds.
func inTime(w messages.Window) messages.Query {
	return messages.Query{Selection: messages.Selection{Window: w}, Deadline: time.Now().Add(10 * time.Second)}
}

func TestQueriesAreCollected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked messages.Query
		c := threeNodes()
		p := queryProxy(8, func(_ context.Context, q messages.Query) (*messages.Collection, error) {
			asked = q
			return c, nil
		})
		q := inTime(messages.Window{})
		q.CorrectClocks, q.Filter.NodeIDs, q.Selection.Names = true, []string{"n1"}, []string{"up"}
		got, release, err := p.CollectForQuery(t.Context(), q)
		require.NoError(t, err)
		require.Same(t, c, got)
		require.Positive(t, p.inFlight.bytes, "its memory counts while it is read")
		release()
		require.Zero(t, p.inFlight.bytes)
		q.Deadline, q.Yields = time.Now().Add(p.CollectTimeout), true
		require.Equal(t, q, asked)
		page := p.get("/metrics/self").Body.String()
		require.Contains(t, page, `fodc_proxy_collections_total{result="partial"} 1`)
		require.Contains(t, page, `fodc_proxy_agents_missing_total{reason="timeout"} 1`)

		c = &messages.Collection{}
		_, release, err = p.CollectForQuery(t.Context(), inTime(back(time.Hour)))
		require.NoError(t, err)
		release()
		require.Equal(t, 10*time.Second, time.Until(asked.Deadline), "a long one may take longer")
		require.Contains(t, p.get("/metrics/self").Body.String(), `fodc_proxy_collections_total{result="whole"} 1`)
	})
}

func TestCollectionsOfQueriesThatFail(t *testing.T) {
	f := func(err error, want messages.ErrorKind, takes time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			p := queryProxy(8, func(context.Context, messages.Query) (*messages.Collection, error) { return nil, err })
			_, _, got := p.CollectForQuery(t.Context(), inTime(messages.Window{}))
			requireKind(t, want, got)
			require.InDelta(t, takes, time.Since(begin), float64(2*maxRetryWait))
			require.Contains(t, p.get("/metrics/self").Body.String(), `fodc_proxy_collections_total{result="failed"} 1`)
		})
	}
	f(messages.Errorf(messages.ErrTooLarge, "much"), messages.ErrTooLarge, 0)
	f(errBusy, messages.ErrTimeout, 10*time.Second)
	f(context.DeadlineExceeded, messages.ErrTimeout, 0)
}

// A query waits for a slot, and for the memory of what others read.
func TestQueriesWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		underWay, most := 0, 0
		count := func(more int) {
			mu.Lock()
			defer mu.Unlock()
			underWay += more
			most = max(most, underWay)
		}
		p := queryProxy(2, func(context.Context, messages.Query) (*messages.Collection, error) {
			count(1)
			defer count(-1)
			time.Sleep(time.Second)
			return large(maxInFlightBytes / 2), nil
		})
		begin := time.Now()
		errs := make(chan error, 10)
		for range 3 {
			go func() {
				_, release, err := p.CollectForQuery(t.Context(), inTime(messages.Window{}))
				if err == nil {
					time.Sleep(2 * time.Second)
					release()
				}
				errs <- err
			}()
		}
		for range 3 {
			require.NoError(t, <-errs)
		}
		require.Equal(t, 2, most)
		require.Greater(t, time.Since(begin), 6*time.Second, "two do not fit the memory at once")
		require.Zero(t, p.inFlight.bytes)
	})
}

// A client that goes ends its collection.
func TestACollectionEndsWithItsQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := queryProxy(1, func(ctx context.Context, _ messages.Query) (*messages.Collection, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, _, err := p.CollectForQuery(ctx, inTime(messages.Window{}))
		require.ErrorIs(t, err, context.Canceled)
	})
}
