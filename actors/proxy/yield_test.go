package proxy

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// of is a selection of nodes.
func of(nodeIDs ...string) messages.NodeFilter { return messages.NodeFilter{NodeIDs: nodeIDs} }

// withPages runs a test with the nodes page and query. The first one takes so long for an answer.
func withPages(t *testing.T, takes time.Duration, test func(t *testing.T, w *world)) {
	t.Helper()
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(baseline("page"), func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			time.Sleep(takes)
			return []*wire.StreamMetricsRequest{gauge(1)}
		})
		w.agent(baseline("query"), always(2))
		test(t, w)
	})
}

// collecting begins a collection, and returns what waits for its end.
func (w *world) collecting(q messages.Query) (wait func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.collect(q)
	}()
	return func() { <-ended }
}

// yielding makes a collection that yields, and returns how long it took.
func (w *world) yielding(within time.Duration) time.Duration {
	w.T.Helper()
	begin := time.Now()
	c := w.collect(messages.Query{Filter: of("query"), Selection: aWindow, Deadline: begin.Add(within), Yields: true})
	require.Equal(w.T, map[string]any{"query": 2.}, shown(c))
	return time.Since(begin)
}

// While a page is collected, collections that yield ask nobody, for as long as they may wait.
func TestPagesAreCollectedBeforeQueries(t *testing.T) {
	f := func(page, within, least, most time.Duration) {
		t.Helper()
		withPages(t, page, func(t *testing.T, w *world) {
			wait := w.collecting(messages.Query{Filter: of("page")})
			synctest.Wait()
			took := w.yielding(within)
			require.GreaterOrEqual(t, took, least)
			require.LessOrEqual(t, took, most)
			wait()
		})
	}
	const ms = time.Millisecond
	f(33*ms, 5*time.Second, 33*ms, 33*ms)
	f(3*time.Second, 5*time.Second, messages.MaxYield, messages.MaxYield+paceInterval)
	f(33*ms, 80*ms, 20*ms, 30*ms)
}

// However many pages there are, a query waits for them for no more than half of its time.
func TestPagesDoNotStarveQueries(t *testing.T) {
	withPages(t, 50*time.Millisecond, func(t *testing.T, w *world) {
		end := time.Now().Add(3 * time.Second)
		for i := range 4 {
			go func() {
				for time.Now().Before(end) {
					w.collect(messages.Query{Filter: of("page"), Selection: messages.Selection{Names: []string{fmt.Sprint(i)}}})
				}
			}()
		}
		time.Sleep(70 * time.Millisecond)
		for range 5 {
			require.LessOrEqual(t, w.yielding(5*time.Second), messages.MaxYield+paceInterval)
		}
		time.Sleep(time.Until(end) + time.Second)
	})
}

// A page that takes long is not waited for at all.
func TestQueriesDoNotWaitForSlowPages(t *testing.T) {
	withPages(t, 3*time.Second, func(t *testing.T, w *world) {
		wait := w.collecting(messages.Query{Filter: of("page")})
		time.Sleep(messages.MaxPrecedence)
		require.Zero(t, w.yielding(5*time.Second))
		wait()
	})
}

func TestQueriesDoNotWaitForQueries(t *testing.T) {
	withPages(t, time.Second, func(t *testing.T, w *world) {
		wait := w.collecting(messages.Query{Filter: of("page"), Yields: true})
		synctest.Wait()
		require.Zero(t, w.yielding(5*time.Second))
		wait()
	})
}
