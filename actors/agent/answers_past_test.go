package agent

import (
	"errors"
	"io"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
)

// memoryOfG is what the recorder has in memory, of the first series.
var memoryOfG = []float64{1}

func TestThePastComesBeforeWhatIsInMemory(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, _ := w.runWithPast()
		past.put(1, 2, 3)
		past.end()
		w.proxy.ask(windowRequest(1))
		w.pass(0)
		require.Equal(t, answerTo{past: []float64{1, 2, 3}, memory: memoryOfG, ended: true}, w.answerTo(1))
		for _, budget := range past.budgets {
			require.Equal(t, chunkBytes, budget)
		}
		opened, closed, _ := past.counts()
		require.Equal(t, []int{1, 1}, []int{opened, closed})
	})
}

// A past that cannot be read, or not wholly, makes its answer partial. What can be read of it is
// in the answer, also behind an error.
func TestAPastThatCannotBeRead(t *testing.T) {
	f := func(prepare func(*fakePast), want []float64, cause string) {
		t.Helper()
		inWorld(t, func(t *testing.T, w *world) {
			past, _ := w.runWithPast()
			prepare(past)
			w.proxy.ask(windowRequest(1))
			w.pass(0)
			require.Equal(t, answerTo{past: want, memory: memoryOfG, ended: true, partial: "journal"}, w.answerTo(1))
			require.Equal(t, []string{"an answer has not all that is on disk: " + cause}, w.lines("on disk"))

			past.openErr, past.damage = nil, nil // The next window has it all, which ends the failure.
			past.end()
			w.proxy.ask(windowRequest(2))
			w.pass(0)
			require.Empty(t, w.answerTo(2).partial)
			require.Len(t, w.lines("on disk again"), 1)
		})
	}
	f(func(p *fakePast) { p.openErr = errors.New("no such segment") }, nil, "no such segment")
	f(func(p *fakePast) {
		p.put(1)
		p.parts <- fakePart{err: errors.New("input/output error")}
		p.put(2)
		p.parts <- fakePart{blocks: pastBlocks(3), err: errors.New("another error")}
		p.end()
	}, []float64{1, 2, 3}, "input/output error")
	f(func(p *fakePast) {
		p.put(1)
		for range maxPastErrors {
			p.parts <- fakePart{err: errors.New("no such device")}
		}
	}, []float64{1}, "no such device")
	f(func(p *fakePast) {
		p.put(1)
		p.end()
		p.damage = []journal.SegmentDamage{{Name: "a", Damage: &journal.Damage{Torn: true}}, {Name: "b", Damage: &journal.Damage{Offset: 17, Reason: "a wrong checksum"}}}
	}, []float64{1}, "b: damaged at offset 17: a wrong checksum")
	f(func(p *fakePast) {
		p.put(1)
		p.parts <- fakePart{panics: true}
	}, []float64{1}, "panic: a bug")
}

// A record that was torn when the process was killed has no samples that could be missed.
func TestAPastWithATornRecordIsWhole(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, _ := w.runWithPast()
		past.put(1)
		past.end()
		past.damage = []journal.SegmentDamage{{Name: "a", Damage: &journal.Damage{Torn: true}}}
		w.proxy.ask(windowRequest(1))
		w.pass(0)
		require.Equal(t, answerTo{past: []float64{1}, memory: memoryOfG, ended: true}, w.answerTo(1))
	})
}

// io.EOF is an end like any other, with or without a last part.
func TestAPastThatEndsWithEOF(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, _ := w.runWithPast()
		past.parts <- fakePart{blocks: pastBlocks(1), err: io.EOF}
		past.parts <- fakePart{err: io.EOF}
		for id := uint64(1); id <= 2; id++ {
			w.proxy.ask(windowRequest(id))
			w.pass(0)
		}
		require.Equal(t, answerTo{past: []float64{1}, memory: memoryOfG, ended: true}, w.answerTo(1))
		require.Equal(t, answerTo{memory: memoryOfG, ended: true}, w.answerTo(2))
	})
}

// What the recorder says of an answer is said to the proxy, and nothing is read.
func TestAnAnswerIsPartialWhileTheRecorderRecovers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, r := w.runWithPast()
		r.partial = messages.PartialRecovering
		w.proxy.ask(columnarRequest(1))
		w.pass(0)
		require.Equal(t, answerTo{memory: memoryOfG, ended: true, partial: "recovering"}, w.answerTo(1))
		opened, _, _ := past.counts()
		require.Zero(t, opened, "the latest values need no disk")
	})
}

// A disk that hangs delays a window by three seconds or half of the time that the proxy waits, and
// other answers not at all.
func TestADiskThatHangsDelaysNoOtherAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, _ := w.runWithPast()
		past.put(1)
		w.proxy.ask(windowRequest(1)) // which waits 5 s
		for id := uint64(2); id <= 4; id++ {
			w.proxy.ask(columnarRequest(id))
			w.pass(0)
			require.Equal(t, answerTo{memory: memoryOfG, ended: true}, w.answerTo(id))
		}
		w.pass(2499 * time.Millisecond)
		require.Equal(t, answerTo{past: []float64{1}}, w.answerTo(1))
		w.pass(time.Millisecond)
		require.Equal(t, answerTo{past: []float64{1}, memory: memoryOfG, ended: true, partial: "journal"}, w.answerTo(1))
		past.end()
	})
}

// While a read hangs, no other one begins, and windows are answered from memory at once.
func TestHungReadsDoNotPileUp(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, _ := w.runWithPast()
		w.proxy.ask(windowRequest(1))
		w.pass(pastPartTimeout)
		for id := uint64(2); id <= 20; id++ {
			w.proxy.ask(windowRequest(id))
			w.pass(0)
			require.Equal(t, answerTo{memory: memoryOfG, ended: true, partial: "journal"}, w.answerTo(id))
		}
		w.pass(time.Hour)
		w.proxy.ask(windowRequest(21))
		w.pass(0)
		require.Equal(t, "journal", w.answerTo(21).partial)
		opened, _, reading := past.counts()
		require.Equal(t, []int{1, 1}, []int{opened, reading})
		require.Len(t, w.lines("on disk"), 2, "a line for each cause")

		past.end() // The disk is back.
		w.pass(0)
		past.put(7)
		past.end()
		w.proxy.ask(windowRequest(22))
		w.pass(0)
		require.Equal(t, answerTo{past: []float64{7}, memory: memoryOfG, ended: true}, w.answerTo(22))
		require.Len(t, w.lines("on disk again"), 1)
	})
}

// Windows of one stream are read one after the other. One whose turn does not come in half of its
// time goes without its past, although the disk works.
func TestAStreamHasOneReader(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, _ := w.runWithPast()
		for id := uint64(1); id <= 3; id++ {
			w.proxy.ask(windowRequest(id))
		}
		w.pass(2 * time.Second)
		past.put(1)
		past.end()
		past.put(2)
		w.pass(500 * time.Millisecond)
		require.Equal(t, answerTo{past: []float64{1}, memory: memoryOfG, ended: true}, w.answerTo(1))
		require.Equal(t, answerTo{past: []float64{2}, memory: memoryOfG, ended: true, partial: "journal"}, w.answerTo(2))
		require.Equal(t, answerTo{memory: memoryOfG, ended: true, partial: "journal"}, w.answerTo(3))
		require.Equal(t, 1, past.most)
		past.end()
	})
}

// A read that was given up, but does not hang yet, is waited for.
func TestAReadBeginsWhenTheOneBeforeHasReturned(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, _ := w.runWithPast()
		short := windowRequest(1)
		short.TimeLeft.Seconds = 2
		w.proxy.ask(short)
		w.pass(time.Second)
		require.Equal(t, "journal", w.answerTo(1).partial)
		w.proxy.ask(windowRequest(2))
		w.pass(time.Second)
		opened, _, _ := past.counts()
		require.Equal(t, 1, opened)
		past.put(1) // for the first window, too late
		past.put(2)
		past.end()
		w.pass(0)
		require.Equal(t, answerTo{past: []float64{2}, memory: memoryOfG, ended: true}, w.answerTo(2))
		require.Equal(t, 1, past.most)
	})
}

// A window whose past takes long, but comes, is whole: each part has its time.
func TestASlowDiskGivesAWholeAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, _ := w.runWithPast()
		r := windowRequest(1)
		r.TimeLeft.Seconds = 60
		w.proxy.ask(r)
		var want []float64
		for i := range 10 {
			w.pass(pastPartTimeout - time.Millisecond)
			past.put(float64(i))
			want = append(want, float64(i))
		}
		w.pass(0)
		require.Equal(t, answerTo{past: want}, w.answerTo(1))
		past.end()
		w.pass(0)
		require.Equal(t, answerTo{past: want, memory: memoryOfG, ended: true}, w.answerTo(1))
	})
}
