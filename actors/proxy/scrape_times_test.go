package proxy

import (
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// withScrapeTimes answers with the times of scrapes, whether they were asked for or not.
func withScrapeTimes(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
	return []*wire.StreamMetricsRequest{wire.AnswerFrame(wire.Answer{RequestID: r.GetRequestId(), Blocks: []messages.Block{
		{Target: "agent", Times: []int64{1, 2, 3}},
		{Target: "agent", Times: []int64{2}, Families: []messages.Family{{Name: "g", Series: []messages.Series{{Values: []float64{2}}}}}},
		{Target: "host", Times: []int64{4}},
	}})}
}

// Blocks without families reach the collection if they were asked for. Else they are dropped and counted.
func TestScrapeTimesThatWereAskedFor(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(columnar("n1"), withScrapeTimes)
		w.agent(baseline("old"), always(2))
		f := func(sel messages.Selection, rejected int, targets ...string) {
			t.Helper()
			c := w.collect(messages.Query{Selection: sel})
			require.Equal(t, map[string]any{"n1": 2., "old": 2.}, shown(c))
			var got []string
			for _, b := range c.Nodes[0].Blocks {
				got = append(got, b.Target)
			}
			require.Equal(t, targets, got)
			require.Equal(t, rejected, c.Nodes[0].Rejected)
			require.Len(t, c.Nodes[1].Blocks, 1)
			asked := a.requests()[len(a.requests())-1]
			require.Equal(t, sel.ScrapeTimes, asked.GetScrapeTimes())
			require.Equal(t, sel.SeriesOnly, asked.GetSeriesOnly())
		}
		window := messages.Window{Start: time.Unix(0, 1)}
		f(messages.Selection{Window: window, ScrapeTimes: true}, 0, "agent", "agent", "host")
		f(messages.Selection{Window: window, ScrapeTimes: true, SeriesOnly: true}, 0, "agent", "agent", "host")
		f(messages.Selection{Window: window, SeriesOnly: true}, 2, "")
		f(messages.Selection{Window: window}, 2, "")
		f(messages.Selection{ScrapeTimes: true}, 2, "")
		f(messages.Selection{}, 2, "")
	})
}
