package logsink

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// writeAll writes what is to be written, and returns the lines as a reader has them.
func writeAll(q *queue) (written []string) {
	for {
		l, ok := q.next()
		if !ok {
			return written
		}
		if l.gap > 0 {
			written = append(written, fmt.Sprintf("%d missing", l.gap))
		}
		if l.text != nil {
			written = append(written, string(l.text))
		}
		q.wrote()
	}
}

// fill pushes the text until it is dropped for the first time, and returns how often it
// was taken.
func fill(q *queue, text string) (taken int) {
	for before := q.dropped; q.dropped == before; taken++ {
		q.push([]byte(text))
	}
	return taken - 1
}

func TestQueueIsInOrder(t *testing.T) {
	var q queue
	require.Empty(t, writeAll(&q))
	q.push([]byte("a"))
	q.push([]byte("b"))
	require.Equal(t, []string{"a", "b"}, writeAll(&q))
	require.Zero(t, q.dropped)
	require.Zero(t, q.bytes)
}

func TestQueueDropsWhatDoesNotFit(t *testing.T) {
	var q queue
	const text = "0123456789"
	taken := fill(&q, text)
	require.Equal(t, maxQueuedBytes/(len(text)+lineOverhead), taken)
	require.LessOrEqual(t, q.bytes, maxQueuedBytes)
	q.push([]byte(text))
	require.EqualValues(t, 2, q.dropped)
	require.Equal(t, append(slices.Repeat([]string{text}, taken), "2 missing"), writeAll(&q))
	// It is as new.
	q.push([]byte("a"))
	require.Equal(t, []string{"a"}, writeAll(&q))
	require.EqualValues(t, 2, q.dropped)
}

func TestQueueTellsWhereLinesAreMissing(t *testing.T) {
	var q queue
	taken := fill(&q, "a")
	l, ok := q.next()
	require.True(t, ok)
	require.Equal(t, line{text: []byte("a")}, l)
	q.push([]byte("b")) // behind the one that was dropped
	require.Equal(t, append(slices.Repeat([]string{"a"}, taken-1), "1 missing", "b"), writeAll(&q))
}

func TestLineLongerThanTheQueueIsDropped(t *testing.T) {
	var q queue
	q.push(make([]byte, maxQueuedBytes))
	q.push([]byte("a"))
	require.Equal(t, []string{"1 missing", "a"}, writeAll(&q))
	require.EqualValues(t, 1, q.dropped)
}

func TestFailedWriteIsTriedWithTheNextLineOnly(t *testing.T) {
	var q queue
	fail := func(told bool) {
		t.Helper()
		l, ok := q.next()
		require.True(t, ok)
		q.lost(l, told)
	}
	q.push([]byte("a"))
	fail(false)
	_, ok := q.next()
	require.False(t, ok, "nothing is to be done until there is another line")
	q.push([]byte("b"))
	fail(false)
	q.push([]byte("c"))
	q.push([]byte("d"))
	require.EqualValues(t, 2, q.dropped)
	fail(true) // The gap was told of, the line was not.
	require.EqualValues(t, 3, q.dropped)
	require.Equal(t, []string{"1 missing", "d"}, writeAll(&q))
	q.push([]byte("e"))
	require.Equal(t, []string{"e"}, writeAll(&q))
}

// A gap that cannot be told of is no dropped line, and is not forgotten.
func TestFailedGapIsToldLater(t *testing.T) {
	var q queue
	q.push(make([]byte, maxQueuedBytes))
	l, ok := q.next()
	require.True(t, ok)
	require.Equal(t, line{gap: 1}, l)
	q.lost(l, false)
	require.EqualValues(t, 1, q.dropped)
	q.push([]byte("a"))
	require.Equal(t, []string{"1 missing", "a"}, writeAll(&q))
}

func TestClosedQueueTakesNothing(t *testing.T) {
	var q queue
	q.push([]byte("a"))
	q.closed = true
	q.push([]byte("b"))
	require.Equal(t, []string{"a", "1 missing"}, writeAll(&q))
	require.EqualValues(t, 1, q.dropped)
}

// FuzzQueue fails if a line is neither written nor told to be missing, if one is written
// twice or out of order, or if the queue outgrows its limit.
func FuzzQueue(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 250, 251, 1, 2})
	f.Add([]byte{255, 255, 255, 255, 255, 2, 2, 3, 0, 1})
	f.Fuzz(func(t *testing.T, moves []byte) {
		var q queue
		pushed, accounted := 0, uint64(0)
		newest := -1
		work := func(fails, told bool) bool {
			l, ok := q.next()
			if !ok {
				return false
			}
			if fails {
				if told {
					accounted += l.gap
				}
				q.lost(l, told)
				return true
			}
			accounted += l.gap
			if l.text != nil {
				number := int(l.text[0])<<8 | int(l.text[1])
				require.Greater(t, number, newest)
				newest = number
				accounted++
			}
			q.wrote()
			return true
		}
		for _, m := range moves {
			switch {
			case m%4 == 0:
				work(false, false)
			case m%4 == 1:
				work(true, m%8 == 1)
			default: // Some are long, so that the limit is met.
				text := make([]byte, 2+int(m)*1024)
				text[0], text[1] = byte(pushed>>8), byte(pushed)
				q.push(text)
				pushed++
			}
			require.LessOrEqual(t, q.bytes, maxQueuedBytes)
		}
		q.failing = false
		for work(false, false) {
		}
		require.EqualValues(t, pushed, accounted)
		require.Zero(t, q.bytes)
	})
}
