package agent

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// timedAnswer asks, and returns the times of scrapes by target, how often each series of the family g comes,
// when, and how many samples of any family there are.
func timedAnswer(w *world, r *wire.StreamMetricsResponse) (scrapes map[string][]int64, series map[messages.LabelText]int, times []int64, samples int) {
	w.t.Helper()
	before := len(w.proxy.answers())
	w.proxy.ask(r)
	w.pass(4 * time.Second)
	scrapes, series = map[string][]int64{}, map[messages.LabelText]int{}
	for _, f := range w.proxy.answers()[before:] {
		a := wire.FromAnswer(f, time.Now())
		require.Empty(w.t, a.Error)
		require.Empty(w.t, a.Partial)
		require.Zero(w.t, a.Rejected)
		for _, b := range a.Blocks {
			require.Equal(w.t, r.GetScrapeTimes(), b.Target != "")
			if b.Target != "" {
				scrapes[b.Target] = append(scrapes[b.Target], b.Times...)
			}
			for fam := range b.Each() {
				samples += len(fam.Series) * len(b.Times)
				if fam.Name != "g" {
					continue
				}
				require.Contains(w.t, []string{"", "http://node/metrics"}, b.Target)
				times = append(times, b.Times...)
				for _, s := range fam.Series {
					series[s.Labels]++
					require.True(w.t, !r.GetSeriesOnly() || slices.Equal(s.Values, []float64{0}))
				}
			}
		}
	}
	for target, of := range scrapes {
		slices.Sort(of)
		scrapes[target] = slices.Compact(of)
	}
	return scrapes, series, times, samples
}

// The times of all scrapes, and the series, come from disk and from memory.
func TestScrapeTimesOfDiskAndMemory(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.runLong()
		w.node.serve("", errRefused)
		w.pass(3 * time.Minute)
		w.node.serve("other 1\n", nil)
		w.pass(3 * time.Minute)

		ask := func(names ...string) *wire.StreamMetricsResponse {
			r := columnarRequest(1)
			r.StartTime, r.Names = timestamppb.New(time.Unix(1, 0)), names
			return r
		}
		plain := ask("g")
		_, _, want, _ := timedAnswer(w.world, plain)
		require.Len(t, want, len(w.scraped())-6)

		timed := ask("g")
		timed.ScrapeTimes = true
		scrapes, _, times, _ := timedAnswer(w.world, timed)
		require.Equal(t, want, times)
		require.Equal(t, w.scraped(), scrapes["http://node/metrics"], "the scrapes without g, too, once and in order")
		require.ElementsMatch(t, []string{"agent", "http://node/metrics"}, slices.Collect(maps.Keys(scrapes)))
		require.Greater(t, len(scrapes["agent"]), 290)

		inMemory := ask("g")
		inMemory.ScrapeTimes, inMemory.StartTime = true, timestamppb.New(time.Now().Add(-4*time.Minute))
		scrapes, _, times, _ = timedAnswer(w.world, inMemory)
		require.Empty(t, times)
		require.NotEmpty(t, scrapes["http://node/metrics"], "it has had g")
		require.NotContains(t, scrapes, "agent", "it never had g, and nothing is read from disk")

		timed.Names = []string{"none"}
		scrapes, series, _, samples := timedAnswer(w.world, timed)
		require.Equal(t, w.scraped(), scrapes["http://node/metrics"])
		require.Empty(t, series)
		require.Zero(t, samples)

		only := ask()
		only.SeriesOnly = true
		scrapes, series, times, samples = timedAnswer(w.world, only)
		require.Empty(t, scrapes)
		require.Equal(t, map[messages.LabelText]int{`a="1",container_name="db"`: 2, `a="2",container_name="db"`: 2}, series, "once of disk, once of memory")
		require.Subset(t, w.scraped(), times)
		_, _, _, all := timedAnswer(w.world, ask())
		require.Less(t, samples, all/50)

		only.ScrapeTimes = true
		scrapes, series, _, _ = timedAnswer(w.world, only)
		require.Equal(t, w.scraped(), scrapes["http://node/metrics"])
		require.Len(t, series, 2)
	})
}

// The latest values are the same whatever is asked for beside them.
func TestScrapeTimesOfTheLatest(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.pass(time.Minute)
		r := columnarRequest(1)
		r.ScrapeTimes, r.SeriesOnly = true, true
		w.proxy.ask(r)
		w.proxy.ask(columnarRequest(1))
		synctest.Wait()
		frames := w.proxy.answers()
		require.Len(t, frames, 2)
		require.True(t, proto.Equal(frames[0], frames[1]))
		require.NotEmpty(t, values(t, frames, "g"))
	})
}

// A proxy that takes the baseline form has no use for either, and gets the samples.
func TestScrapeTimesInTheBaselineForm(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.runLong()
		ask := func(change func(r *wire.StreamMetricsResponse)) *wire.StreamMetricsRequest {
			before := len(w.proxy.answers())
			r := &wire.StreamMetricsResponse{StartTime: timestamppb.New(time.Unix(1, 0)), EndTime: timestamppb.New(w.start.Add(5 * time.Hour)), Names: []string{"g"}}
			change(r)
			w.proxy.ask(r)
			w.pass(4 * time.Second)
			require.Len(t, w.proxy.answers(), before+1)
			f := w.proxy.answers()[before]
			f.Timestamp = nil
			return f
		}
		want := ask(func(*wire.StreamMetricsResponse) {})
		require.Greater(t, len(want.GetMetrics()), 500)
		require.True(t, proto.Equal(want, ask(func(r *wire.StreamMetricsResponse) { r.ScrapeTimes = true })))
		require.True(t, proto.Equal(want, ask(func(r *wire.StreamMetricsResponse) { r.SeriesOnly = true })))
	})
}
