package ramps

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)

// keep keeps a capture of a ramp, of one profile.
func keep(t *testing.T, s *Store, ramp, after time.Duration, bytes int) string {
	t.Helper()
	w, err := s.Create(Moment{At: start.Add(after), Ramp: start.Add(ramp), Resident: 700, Limit: 1000}, "heap")
	require.NoError(t, err)
	_, err = io.WriteString(w, strings.Repeat("x", bytes))
	require.NoError(t, err)
	f, err := w.Commit()
	require.NoError(t, err)
	require.EqualValues(t, bytes, f.Bytes)
	return f.Path
}

// ages returns when what is kept was captured, in seconds.
func ages(t *testing.T, s *Store) []float64 {
	t.Helper()
	list, err := s.Since(time.Time{})
	require.NoError(t, err)
	all := []float64{}
	for _, p := range list {
		all = append(all, p.At.Sub(start).Seconds())
	}
	return all
}

// both runs a test with a store on disk and one in memory.
func both(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("disk", func(t *testing.T) { test(t, NewStore(Config{Dir: filepath.Join(t.TempDir(), "ramps")})) })
	t.Run("memory", func(t *testing.T) { test(t, NewStore(Config{})) })
}

func TestNewestCapturesOfARamp(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		keep(t, s, -time.Hour, -time.Hour, 10)
		for i := range 8 {
			id := keep(t, s, 0, time.Duration(i)*time.Second, 10+i)
			r, err := s.Open(id)
			require.NoError(t, err)
			text, err := io.ReadAll(r)
			require.NoError(t, err)
			require.NoError(t, r.Close())
			require.Len(t, text, 10+i)
		}
		require.Equal(t, []float64{-3600, 3, 4, 5, 6, 7}, ages(t, s))
		list, err := s.Since(start.Add(6 * time.Second))
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.EqualValues(t, 17, list[1].Bytes)
		require.EqualValues(t, 700, list[1].Resident)
		_, err = s.Open("20260301T031200.000Z_20260301T031200.000Z_700_1000_heap.pb.gz")
		require.ErrorContains(t, err, "was removed")
	})
}

// The limit holds while something is written, and a reader does not wait for that.
func TestBytesOfAllRamps(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		s.limit = 1000
		for i := range 4 {
			keep(t, s, time.Duration(i)*time.Minute, time.Duration(i)*time.Minute, 300)
		}
		require.Equal(t, []float64{60, 120, 180}, ages(t, s))
		w, err := s.Create(Moment{At: start.Add(time.Hour), Ramp: start}, "heap")
		require.NoError(t, err)
		for range 5 {
			_, err = io.WriteString(w, strings.Repeat("x", 100))
			require.NoError(t, err)
			_, bytes, err := s.Usage()
			require.NoError(t, err)
			require.LessOrEqual(t, bytes, int64(1000))
		}
		require.Equal(t, []float64{180}, ages(t, s))
		w.Abort()
		require.Equal(t, []float64{180}, ages(t, s))
		w, err = s.Create(Moment{At: start.Add(time.Hour), Ramp: start}, "heap")
		require.NoError(t, err)
		_, err = io.WriteString(w, strings.Repeat("x", 1001))
		require.ErrorContains(t, err, "1000 bytes")
		w.Abort()
		profiles, bytes, err := s.Usage()
		require.NoError(t, err)
		require.Zero(t, profiles)
		require.Zero(t, bytes)
	})
}

func TestProfilesSurviveTheAgent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ramps")
	s := NewStore(Config{Dir: dir})
	id := keep(t, s, 0, time.Second, 10)
	w, err := s.Create(Moment{At: start, Ramp: start}, "goroutine")
	require.NoError(t, err)
	_, err = w.Write([]byte("half"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o644))

	s = NewStore(Config{Dir: dir}) // of the next process
	require.Equal(t, []float64{1}, ages(t, s))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "what was half-written is gone, and what is somebody else's is not")
	require.Equal(t, id, entries[0].Name())
	if runtime.GOOS != "windows" {
		info, err := os.Stat(filepath.Join(dir, id))
		require.NoError(t, err)
		require.EqualValues(t, 0o600, info.Mode().Perm())
	}
}

func TestDirectoryThatCannotBeUsed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ramps")
	locked := errors.New("process 7 has it")
	s := NewStore(Config{Dir: dir, Lock: func() error { return locked }})
	_, err := s.Since(start)
	require.ErrorIs(t, err, locked)
	require.NoDirExists(t, dir)
	locked = nil
	require.Empty(t, ages(t, s))

	s.cfg.Space, s.cfg.MinFree = func() (uint64, uint64, error) { return 4, 100, nil }, 0.05
	_, err = s.Create(Moment{At: start, Ramp: start}, "heap")
	require.ErrorContains(t, err, "--storage-min-free is 5 %")
	s.cfg.Space = nil

	// It is removed, and made again.
	keep(t, s, 0, 0, 10)
	require.NoError(t, os.RemoveAll(dir))
	_, err = s.Create(Moment{At: start, Ramp: start}, "heap")
	require.Error(t, err)
	keep(t, s, 0, time.Second, 10)
	require.Equal(t, []float64{1}, ages(t, s))

	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.WriteFile(dir, nil, 0o644))
	_, err = NewStore(Config{Dir: dir}).Since(start)
	require.ErrorContains(t, err, "cannot be kept")
}

func TestNames(t *testing.T) {
	good := "20260301T031200.123Z_20260301T031100.000Z_700_1000_heap.pb.gz"
	p, ok := parseName(good)
	require.True(t, ok)
	require.Equal(t, profile{Moment: Moment{At: start.Add(123 * time.Millisecond), Ramp: start.Add(-time.Minute), Resident: 700, Limit: 1000}, kind: "heap"}, p)
	for _, bad := range []string{"", "x", "heap.pb.gz", strings.Replace(good, "heap", "../heap", 1), strings.Replace(good, "700", "0700", 1), good + ".tmp", strings.Replace(good, "0301", "0231", 1)} {
		_, ok := parseName(bad)
		require.False(t, ok, bad)
	}
}

func FuzzName(f *testing.F) {
	f.Add("20260301T031200.123Z_20260301T031100.000Z_700_1000_heap.pb.gz")
	f.Fuzz(func(t *testing.T, name string) {
		if p, ok := parseName(name); ok {
			require.Equal(t, name, p.name())
		}
	})
}
