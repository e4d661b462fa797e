package diskfs_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"
)

// The journal is written to a real disk, found again by the next process, and goes on when somebody
// removes its directory.
func TestJournalOnARealDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "storage", "journal")
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	open := func() *journal.Writer {
		w := journal.NewWriter(diskfs.New(dir), journal.Config{RetentionTime: time.Hour, RetentionBytes: 1 << 20, SyncInterval: 10 * time.Second})
		require.NoError(t, w.Open(now))
		return w
	}
	list := &recorder.SeriesList{Keys: []recorder.SeriesKey{{Name: "up"}}, FamilyOf: []int32{0}, Families: []recorder.Family{{Name: "up"}}}
	appendTo := func(w *journal.Writer, number int64) error {
		now = now.Add(10 * time.Second)
		return w.Append(&recorder.Batch{Number: number, Target: "a", At: now.UnixMilli(), Series: list, Values: []float64{float64(number)}}, now)
	}
	last := func() int64 {
		v, err := journal.OpenView(diskfs.New(dir))
		require.NoError(t, err)
		require.Empty(t, v.Unreadable)
		return v.Segments[len(v.Segments)-1].LastNumber
	}

	w := open()
	for n := range int64(5) {
		require.NoError(t, appendTo(w, n+1))
		require.NoError(t, w.Due(now))
		require.EqualValues(t, n+1, last(), "another process can read it at once")
	}
	require.Positive(t, w.Stats().Syncs)
	require.Positive(t, w.Stats().Free)
	require.NoError(t, w.Close(now))

	w = open()
	require.EqualValues(t, 5, w.Stats().Base)
	require.NoError(t, appendTo(w, 1))
	require.EqualValues(t, 6, last())
	if runtime.GOOS == "windows" {
		require.NoError(t, w.Close(now))
		return // It removes no open files.
	}

	require.NoError(t, os.RemoveAll(dir))
	now = now.Add(10 * time.Second)
	require.ErrorIs(t, w.Due(now), os.ErrNotExist)
	now = now.Add(10 * time.Second)
	require.NoError(t, appendTo(w, 2))
	require.EqualValues(t, 7, last())
	require.NoError(t, w.Close(now))
}
