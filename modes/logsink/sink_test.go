package logsink

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// reader is the far end of a log. While stuck is not nil, a write waits for it to be
// closed. While err is not nil, a write fails behind partial bytes.
type reader struct {
	mu      sync.Mutex
	text    bytes.Buffer
	stuck   chan struct{}
	err     error
	partial int
}

func (r *reader) Write(b []byte) (int, error) {
	r.mu.Lock()
	stuck := r.stuck
	r.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		n, _ := r.text.Write(b[:min(len(b), r.partial)])
		return n, r.err
	}
	return r.text.Write(b)
}

func (r *reader) set(err error, partial int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err, r.partial = err, partial
}

func (r *reader) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func missing(n uint64) []byte { return fmt.Appendf(nil, "%d missing\n", n) }

func write(s *Sink, text string) { _, _ = s.Write([]byte(text)) }

func TestSinkWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		s := New(r, missing)
		text := []byte("a\n")
		n, err := s.Write(text)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		text[0] = 'x' // It is the caller's again.
		require.NoError(t, s.Sync())
		require.Equal(t, "a\n", r.String())
		write(s, "b\n")
		s.Close()
		require.Equal(t, "a\nb\n", r.String())
		require.Zero(t, s.Dropped())
	})
}

func TestSinkNeverWaitsForItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		r := &reader{stuck: make(chan struct{})}
		s := New(r, missing)
		line := strings.Repeat("x", 999) + "\n"
		const lines = 3000
		write(s, line)
		synctest.Wait() // It is being written: what is dropped is behind all that is not.
		for range lines - 1 {
			write(s, line)
		}
		require.Zero(t, time.Since(begin))
		dropped := s.Dropped()
		require.Positive(t, dropped)

		require.NoError(t, s.Sync())
		require.Equal(t, flushTimeout, time.Since(begin))

		close(r.stuck)
		synctest.Wait()
		require.Equal(t, dropped, s.Dropped())
		got := r.String()
		require.Equal(t, lines-int(dropped), strings.Count(got, line))
		require.True(t, strings.HasSuffix(got, line+string(missing(dropped))), "it goes on, and says what is missing")
		s.Close()
	})
}

func TestCloseOfSinkThatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{stuck: make(chan struct{})}
		s := New(r, missing)
		write(s, "a\n")
		write(s, "b\n")
		begin := time.Now()
		s.Close()
		require.Equal(t, flushTimeout, time.Since(begin))
		write(s, "c\n")
		require.NoError(t, s.Sync())
		require.EqualValues(t, 1, s.Dropped())
		close(r.stuck) // Else the bubble fails: the goroutine is left behind.
	})
}

func TestSinkWithoutAReaderGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{err: errors.New("broken pipe")}
		s := New(r, missing)
		for range 5 {
			write(s, "a\n")
			require.NoError(t, s.Sync())
		}
		require.EqualValues(t, 5, s.Dropped())
		r.set(nil, 0)
		time.Sleep(time.Hour)
		require.Empty(t, r.String(), "it is tried with the next line")
		write(s, "b\n")
		s.Close()
		require.Equal(t, "5 missing\nb\n", r.String())
		require.EqualValues(t, 5, s.Dropped())
	})
}

// A line that was cut off, as on a full disk, does not run into the next one.
func TestLineThatIsCutOffEndsBeforeTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{err: errors.New("no space left"), partial: 3}
		s := New(r, missing)
		write(s, "abcdef\n")
		require.NoError(t, s.Sync())
		r.set(errors.New("no space left"), 0)
		write(s, "ghijkl\n")
		require.NoError(t, s.Sync())
		r.set(nil, 0)
		write(s, "mnopqr\n")
		s.Close()
		require.Equal(t, "abc\n2 missing\nmnopqr\n", r.String())
	})
}

func TestSinkOfManyWriters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		s := New(r, missing)
		var writers sync.WaitGroup
		for w := range 8 {
			writers.Go(func() {
				for i := range 100 {
					write(s, fmt.Sprintf("%d %d\n", w, i))
				}
			})
		}
		writers.Wait()
		s.Close()
		require.Zero(t, s.Dropped())
		next := [8]int{}
		for text := range strings.Lines(r.String()) {
			var w, i int
			_, err := fmt.Sscanf(text, "%d %d\n", &w, &i)
			require.NoError(t, err)
			require.Equal(t, next[w], i)
			next[w]++
		}
		require.Equal(t, [8]int{100, 100, 100, 100, 100, 100, 100, 100}, next)
	})
}
