package agent

import (
	"syscall"
	"testing"
	"time"

	"fodc/messages/wire"
	"fodc/recorder/disktest"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// window asks for the family g of all time, and returns the times of its samples in the order of
// the answer, and why the answer is partial.
func (w *journalWorld) window(id uint64) (times []int64, partial string) {
	w.t.Helper()
	r := columnarRequest(id)
	r.StartTime, r.Names = timestamppb.New(time.Unix(1, 0)), []string{"g"}
	before := len(w.proxy.answers())
	w.proxy.ask(r)
	w.pass(4 * time.Second)
	frames := w.proxy.answers()[before:]
	require.NotEmpty(w.t, frames)
	for i, f := range frames {
		require.Empty(w.t, f.GetError())
		require.Equal(w.t, i < len(frames)-1, f.GetMoreFollows())
		a := wire.FromAnswer(f, time.Now())
		require.Zero(w.t, a.Rejected)
		for _, b := range a.Blocks {
			times = append(times, b.Times...)
		}
		partial = f.GetPartial()
	}
	return times, partial
}

// runLong runs an agent for five hours, and then another one, which has three of them in memory.
func (w *journalWorld) runLong() {
	w.t.Helper()
	w.cfg.ScrapeInterval = time.Minute
	w.run()
	w.pass(5 * time.Hour)
	w.kill()
	w.run()
	w.pass(10 * time.Minute)
	inMemory, _ := w.scrapesOf("g")
	require.Less(w.t, len(inMemory), len(w.scraped())*3/4)
}

// A window reaches back beyond what is in memory: what is older comes from the journal, each scrape
// once and in order.
func TestAWindowReachesAsFarBackAsTheJournal(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.runLong()
		times, partial := w.window(1)
		require.Equal(t, w.scraped(), times)
		require.Empty(t, partial)
	})
}

// While the disk hangs or fails, the answer has what is in memory, and says so. When the disk is
// back, it is whole again.
func TestAWindowWithoutTheDisk(t *testing.T) {
	f := func(fault func(hang <-chan struct{}) disktest.Fault) {
		t.Helper()
		inJournalWorld(t, func(t *testing.T, w *journalWorld) {
			w.runLong()
			hang := make(chan struct{})
			heal := w.disk.Break(fault(hang))
			inMemory, _ := w.scrapesOf("g")
			times, partial := w.window(1)
			require.Equal(t, inMemory, times)
			require.Equal(t, "journal", partial)
			heal()
			close(hang)
			w.pass(time.Second)
			times, partial = w.window(2)
			require.Equal(t, w.scraped(), times)
			require.Empty(t, partial)
		})
	}
	f(func(hang <-chan struct{}) disktest.Fault {
		return disktest.Fault{Op: disktest.Open, Hang: hang}
	})
	f(func(hang <-chan struct{}) disktest.Fault {
		return disktest.Fault{Op: disktest.Read, Hang: hang}
	})
	f(func(<-chan struct{}) disktest.Fault {
		return disktest.Fault{Op: disktest.Read, Err: syscall.EIO}
	})
	f(func(<-chan struct{}) disktest.Fault {
		return disktest.Fault{Op: disktest.Open, Err: syscall.EACCES}
	})
}

// A bit that has flipped costs the rest of its segment; the answer has the other segments, and says
// that it is partial.
func TestAWindowOfADamagedJournal(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.runLong()
		first := w.disk.Files()[0]
		w.disk.Flip(first.Name, int(first.Size)*8/2)
		inMemory, _ := w.scrapesOf("g")
		times, partial := w.window(1)
		require.Equal(t, "journal", partial)
		require.Greater(t, len(times), len(inMemory))
		require.Less(t, len(times), len(w.scraped()))
		require.Subset(t, w.scraped(), times)
		require.IsIncreasing(t, times)
	})
}
