package recorder_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// A node whose series come and go has few lists, and each batch has the one of its own series.
func TestBatchesShareLists(t *testing.T) {
	f := func(sets, lists int) {
		t.Helper()
		w, at := recorder.NewWindow(recorder.Limits{}), time.Unix(1_700_000_000, 0)
		const scrapes = 60
		for i := range scrapes {
			text := "# TYPE a gauge\na 1\n"
			for n := range i % sets {
				text += fmt.Sprintf("b{n=\"%d\"} %d\n", n, i)
			}
			var page recorder.Page
			page.Parse([]byte(text), "text/plain; version=0.0.4", recorder.ParseLimits{})
			w.Append(recorder.Target{Name: "node"}, recorder.Scrape{At: at.Add(time.Duration(i) * time.Second), Page: &page})
		}
		batcher, i, seen := recorder.NewBatcher(), 0, map[*recorder.SeriesList]bool{}
		for from := at; from.Before(at.Add(scrapes * time.Second)); from = from.Add(20 * time.Second) {
			s := w.Snapshot(messages.Selection{ScrapeTimes: true, Window: messages.Window{Start: from, End: from.Add(20*time.Second - time.Millisecond)}})
			for b := range batcher.Of(s.Next(math.MaxInt)) {
				require.Len(t, b.Values, 1+i%sets)
				require.Len(t, b.Series.Keys, len(b.Values))
				for n := range i % sets {
					require.Equal(t, recorder.SeriesKey{Name: "b", Labels: messages.LabelText(fmt.Sprintf(`n="%d"`, n))}, b.Series.Keys[1+n])
					require.EqualValues(t, i, b.Values[1+n])
				}
				seen[b.Series] = true
				i++
			}
		}
		require.Equal(t, scrapes, i)
		require.Len(t, seen, lists)
	}
	f(1, 1)
	f(2, 2)
	f(3, 3)
	f(4, 60) // They take turns with too many others.
}
