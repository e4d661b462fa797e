package agent

import (
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// A window says that it is not whole when a file of the journal that may have a part of it cannot
// be read. Others are whole.
func TestWindowsSayWhatTheJournalHasLost(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		var begins []int // of each run, among the scrapes
		for range 3 {
			begins = append(begins, len(w.scraped()))
			w.run()
			w.pass(25 * time.Second)
			w.kill()
			w.pass(time.Minute)
		}
		w.disk.Flip("00000002.segment", 40*8) // In the header.
		begins = append(begins, len(w.scraped()))
		w.run()
		w.pass(25 * time.Second)
		scraped := w.scraped()
		end, lost := len(scraped)-1, begins[2]-begins[1]
		f := func(from, to int64, scrapes int, want messages.PartialReason) {
			t.Helper()
			taken := w.ask(messages.Window{Start: time.UnixMilli(from), End: time.UnixMilli(to)})
			require.Equal(t, want, taken.partial)
			require.Len(t, timesOf(t, func() ([]messages.Block, error) { return taken.snapshot.Next(1 << 20), nil }), scrapes)
		}
		f(scraped[0], scraped[begins[1]-1], begins[1], messages.PartialNone)
		f(scraped[begins[1]-1], scraped[begins[1]], 1, messages.PartialJournal)
		f(scraped[0], scraped[end], len(scraped)-lost, messages.PartialJournal)
		f(scraped[begins[2]], scraped[end], len(scraped)-begins[2], messages.PartialNone)
		f(scraped[begins[3]], scraped[end]+1000, len(scraped)-begins[3], messages.PartialNone)
	})
}
