package journal_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/disktest"
	"fodc/recorder/journal"
)

// Journal and memory together answer what a window without limits would, and nothing twice.
func TestJournalAndMemoryAreWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		sel := h.drawSelection()
		sel.ScrapeTimes = rapid.Bool().Draw(t, "scrape times")
		budget := rapid.SampledFrom([]int{0, 300, math.MaxInt}).Draw(t, "budget")
		want, got := newAnswer(t), newAnswer(t)
		want.targeted, got.targeted = sel.ScrapeTimes, sel.ScrapeTimes
		want.addSnapshot(h.everything.SnapshotBeside(sel), budget)

		q := journal.Query{Selection: sel, Held: h.memory.Held(), Base: h.writer.Stats().Base}
		view := h.writer.View()
		r := view.NewReader(h.disk, q)
		require.Empty(t, got.addReader(r, budget))
		require.True(t, view.Reaches(q) || len(got.samples) == 0)
		require.Empty(t, r.Damage())
		got.addSnapshot(h.memory.SnapshotBeside(sel), budget)
		require.Equal(t, want.samples, got.samples)
		require.Equal(t, want.scrapes, got.scrapes)
		for name, metadata := range newestFamilies(h) {
			if now, ok := got.families[name]; ok {
				require.Equal(t, metadata, now)
			}
		}
	})
}

// Journal and memory together have each series that has a sample, and those alone but for what
// chunks in memory add.
func TestSeriesOfJournalAndMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		sel := h.drawSelection()
		sel.ScrapeTimes = rapid.Bool().Draw(t, "scrape times")
		budget := rapid.SampledFrom([]int{0, 300, math.MaxInt}).Draw(t, "budget")
		inJournal, inMemory, want := newAnswer(t), newAnswer(t), newAnswer(t)
		for _, a := range []*answer{inJournal, inMemory, want} {
			a.targeted = sel.ScrapeTimes
		}
		want.addSnapshot(h.everything.SnapshotBeside(sel), budget)
		q := journal.Query{Selection: sel, Held: h.memory.Held(), Base: h.writer.Stats().Base}
		onDisk := newAnswer(t)
		onDisk.targeted = sel.ScrapeTimes
		require.Empty(t, onDisk.addReader(h.writer.View().NewReader(h.disk, q), budget))

		sel.SeriesOnly = true
		q.Selection = sel
		r := h.writer.View().NewReader(h.disk, q)
		require.Empty(t, inJournal.addReader(r, budget))
		require.Empty(t, r.Damage())
		require.ElementsMatch(t, slices.Collect(maps.Keys(onDisk.samples)), slices.Collect(maps.Keys(inJournal.samples)))
		from, to := recorder.Bounds(sel.Window)
		for name, samples := range inJournal.samples {
			require.Len(t, samples, 1, name)
			var at, value int64
			_, err := fmt.Sscan(samples[0], &at, &value)
			require.NoError(t, err)
			require.True(t, from <= at && at <= to && value == 0)
		}
		inMemory.addSnapshot(h.memory.SnapshotBeside(sel), budget)
		for name := range want.samples {
			require.True(t, len(inJournal.samples[name])+len(inMemory.samples[name]) > 0)
		}
		for target, times := range want.scrapes {
			both := append(inJournal.scrapes[target], inMemory.scrapes[target]...)
			slices.Sort(both)
			require.Equal(t, times, slices.Compact(both))
		}
	})
}

// readAll returns the samples of one series, as times since the begin of the test, and the errors of the reader.
func readAll(k *kit, q journal.Query) (at []string, r *journal.Reader, errs []error) {
	k.Helper()
	a := newAnswer(k)
	r = k.writer.View().NewReader(k.disk, q)
	errs = a.addReader(r, math.MaxInt)
	for _, sample := range a.samples[`requests_total{path="/1"}`] {
		var ms int64
		_, err := fmt.Sscan(sample, &ms)
		require.NoError(k, err)
		at = append(at, time.UnixMilli(ms).Sub(begin).String())
	}
	return at, r, errs
}

// threeSegments is a journal of three segments, each of two scrapes: 10 s apart, an hour between segments.
func threeSegments(t *testing.T) *kit {
	k := newKit(t)
	for range 3 {
		k.run(2, 20*time.Second)
		require.NoError(t, k.writer.Close(k.now))
		k.pass(time.Hour - 20*time.Second)
		k.restart()
	}
	return k
}

var allOfThree = []string{"0s", "10s", "1h0m0s", "1h0m10s", "2h0m0s", "2h0m10s"}

func TestReaderReadsAll(t *testing.T) {
	at, r, errs := readAll(threeSegments(t), journal.Query{})
	require.Equal(t, allOfThree, at)
	require.Empty(t, errs)
	require.Empty(t, r.Damage())
}

// Damage ends its segment alone.
func TestReaderGoesOnBehindDamage(t *testing.T) {
	k := threeSegments(t)
	view := k.writer.View()
	k.disk.Flip("00000001.segment", 10) // of the header
	scrapes, _, _, err := journal.ReadSegment(k.disk, "00000002.segment", view.Segments[1].Size)
	require.NoError(t, err)
	require.Len(t, scrapes, 2)
	inLast := 0
	for bit := 8 * 100; inLast == 0; bit += 8 {
		k.disk.Flip("00000002.segment", bit)
		if scrapes, _, _, _ := journal.ReadSegment(k.disk, "00000002.segment", view.Segments[1].Size); len(scrapes) == 1 {
			inLast = bit
			break
		}
		k.disk.Flip("00000002.segment", bit)
	}
	at, r, errs := readAll(k, journal.Query{})
	require.Equal(t, []string{"1h0m0s", "2h0m0s", "2h0m10s"}, at)
	require.Empty(t, errs)
	damage := r.Damage()
	require.Len(t, damage, 2)
	require.Equal(t, "00000001.segment", damage[0].Name)
	require.Zero(t, damage[0].Offset)
	require.Equal(t, "00000002.segment", damage[1].Name)
	require.Positive(t, damage[1].Offset)
	require.Less(t, damage[1].Offset, int64(inLast/8)+1)
}

// A segment that retention has removed meanwhile is not missed.
func TestReaderSkipsWhatWasRemoved(t *testing.T) {
	k := threeSegments(t)
	k.disk.Vanish("00000002.segment")
	at, r, errs := readAll(k, journal.Query{})
	require.Equal(t, []string{"0s", "10s", "2h0m0s", "2h0m10s"}, at)
	require.Empty(t, errs)
	require.Empty(t, r.Damage())
}

// Another error is returned once, behind what was read before it.
func TestReaderReturnsErrors(t *testing.T) {
	f := func(op disktest.Op) {
		k := threeSegments(t)
		k.disk.Break(disktest.Fault{Op: op, Name: "00000002.segment", Err: syscall.EIO})
		at, r, errs := readAll(k, journal.Query{})
		require.Equal(t, []string{"0s", "10s", "2h0m0s", "2h0m10s"}, at)
		require.Len(t, errs, 1)
		require.ErrorIs(t, errs[0], syscall.EIO)
		require.ErrorContains(t, errs[0], "00000002.segment")
		require.Empty(t, r.Damage())
		blocks, err := r.Next(math.MaxInt)
		require.NoError(t, err)
		require.Nil(t, blocks)
	}
	f(disktest.Open)
	f(disktest.Read)
}

// What is written behind the end of the view is not read, and the bounds of time are included.
func TestReaderStaysWithinItsView(t *testing.T) {
	k := newKit(t)
	k.run(2, 20*time.Second)
	view := k.writer.View()
	k.run(2, 20*time.Second)
	a := newAnswer(t)
	require.Empty(t, a.addReader(view.NewReader(k.disk, journal.Query{}), 0))
	require.Len(t, a.samples[`requests_total{path="/0"}`], 2)

	within := func(from, to time.Duration) []string {
		w := messages.Window{Start: begin.Add(from), End: begin.Add(to)}
		at, _, errs := readAll(k, journal.Query{Selection: messages.Selection{Window: w}})
		require.Empty(t, errs)
		return at
	}
	require.Equal(t, []string{"10s", "20s"}, within(10*time.Second, 20*time.Second))
	require.Equal(t, []string{"20s"}, within(10*time.Second+1, 20*time.Second))
	require.Equal(t, []string{"10s"}, within(10*time.Second, 20*time.Second-1))
}

// Files are closed, also when a reader is given up, and only segments that are needed are opened.
func TestReaderOpensWhatItNeeds(t *testing.T) {
	k := threeSegments(t)
	var ops []string
	k.disk.Watch(func(op disktest.Op, name string) {
		if op == disktest.Open || op == disktest.Close {
			ops = append(ops, fmt.Sprint(op, " ", name))
		}
	})
	of := func(from time.Duration, held ...recorder.Held) journal.Query {
		return journal.Query{Selection: messages.Selection{Window: messages.Window{Start: begin.Add(from)}}, Held: held, Base: 6}
	}
	heldFrom := func(number int64, at time.Duration) recorder.Held {
		return recorder.Held{Target: "http://node/metrics", Oldest: number - 6, At: begin.Add(at).UnixMilli()}
	}
	f := func(q journal.Query, want ...string) {
		t.Helper()
		ops = nil
		require.Equal(t, len(want) > 0, k.writer.View().Reaches(q))
		_, _, errs := readAll(k, q)
		require.Empty(t, errs)
		require.Equal(t, want, ops)
	}
	f(of(time.Hour+time.Minute), "open 00000003.segment", "close 00000003.segment")
	f(of(time.Hour+time.Minute, heldFrom(5, 2*time.Hour)))
	f(of(time.Hour+time.Minute, heldFrom(6, 2*time.Hour+10*time.Second)), "open 00000003.segment", "close 00000003.segment")
	f(of(2*time.Hour+2*time.Minute, heldFrom(6, 2*time.Hour+10*time.Second)))

	ops = nil
	r := k.writer.View().NewReader(k.disk, journal.Query{})
	blocks, err := r.Next(1)
	require.NoError(t, err)
	require.Len(t, blocks, 1)
	r.Close()
	require.Equal(t, []string{"open 00000001.segment", "close 00000001.segment"}, ops)
}

// A scrape just before the oldest one that is held may have a later time, within a segment.
func TestReaderKnowsClocksThatWereSetBackALittle(t *testing.T) {
	k := newKit(t)
	k.now = begin.Add(time.Minute)
	require.NoError(t, k.append(2))
	k.now = begin
	require.NoError(t, k.append(2))
	held := []recorder.Held{{Target: "http://node/metrics", Oldest: 2, At: begin.UnixMilli()}}
	f := func(from time.Duration, want ...string) {
		sel := messages.Selection{Window: messages.Window{Start: begin.Add(from)}}
		at, _, errs := readAll(k, journal.Query{Selection: sel, Held: held})
		require.Empty(t, errs)
		require.Equal(t, want, at)
	}
	f(0, "1m0s")
	f(time.Minute, "1m0s")
	f(time.Minute + time.Millisecond)
}

// However many series there are, values of a few MiB are collected at a time.
func TestReaderCollectsLittle(t *testing.T) {
	const series, scrapes, most = 20_000, 60, 5 << 20
	k := newKit(t)
	k.cfg.RetentionBytes = 1 << 30
	k.restart()
	k.run(series, scrapes*10*time.Second)
	r := k.writer.View().NewReader(k.disk, journal.Query{})
	read := 0
	for blocks, err := r.Next(1 << 20); blocks != nil; blocks, err = r.Next(1 << 20) {
		require.NoError(t, err)
		for _, b := range blocks {
			require.LessOrEqual(t, len(b.Times)*series*8, most)
			read += len(b.Times) * len(b.Families[0].Series)
		}
	}
	require.Equal(t, series*scrapes, read)
}
