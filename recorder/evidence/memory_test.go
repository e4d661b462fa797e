package evidence_test

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/evidence"
)

func TestMemoryFiles(t *testing.T) {
	m := evidence.NewMemory(1 << 20)
	_, err := m.Create("dir/a")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, m.Mkdir("dir"))
	require.ErrorIs(t, m.Mkdir("dir"), fs.ErrExist)
	w, err := m.Create("dir/a")
	require.NoError(t, err)
	_, err = m.Create("dir/a")
	require.ErrorIs(t, err, fs.ErrExist)
	rng := rand.New(rand.NewPCG(1, 1))
	var all []byte
	for len(all) < 300<<10 {
		p := make([]byte, rng.IntN(5000))
		for i := range p {
			p[i] = byte(rng.Uint32())
		}
		all = append(all, p...)
		n, err := w.Write(p)
		require.NoError(t, err)
		require.Len(t, p, n)
	}
	require.NoError(t, w.Sync())
	require.NoError(t, w.Close())
	require.ErrorIs(t, w.Close(), fs.ErrClosed)
	w, err = m.Append("dir/a")
	require.NoError(t, err)
	_, err = w.Write([]byte("end"))
	require.NoError(t, err)
	all = append(all, "end"...)

	r, err := m.Open("dir/a")
	require.NoError(t, err)
	size, err := r.Size()
	require.NoError(t, err)
	require.EqualValues(t, len(all), size)
	for range 500 {
		at := rng.IntN(len(all))
		p := make([]byte, rng.IntN(200_000))
		n, err := r.ReadAt(p, int64(at))
		require.Equal(t, min(len(p), len(all)-at), n)
		require.Equal(t, all[at:at+n], p[:n])
		if n < len(p) {
			require.Equal(t, io.EOF, err)
		} else {
			require.NoError(t, err)
		}
	}
	_, err = r.ReadAt(make([]byte, 1), -1)
	require.ErrorIs(t, err, syscall.EINVAL)

	require.ErrorIs(t, m.Remove("dir"), syscall.ENOTEMPTY)
	require.ErrorIs(t, m.Rename("dir/a", "none/a"), fs.ErrNotExist)
	require.ErrorIs(t, m.Rename("dir/a", "dir"), fs.ErrExist)
	require.NoError(t, m.Rename("dir/a", "dir/b"))
	list, err := m.List("dir")
	require.NoError(t, err)
	require.Equal(t, []evidence.Entry{{Name: "b", Size: size}}, list)
	list, err = m.List(".")
	require.NoError(t, err)
	require.Equal(t, []evidence.Entry{{Name: "dir", Dir: true}}, list)
	require.NoError(t, m.Remove("dir/b"))
	_, err = r.ReadAt(make([]byte, 1), 0)
	require.ErrorIs(t, err, fs.ErrNotExist, "its memory is free")
	_, err = w.Write([]byte("x"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, m.SyncDir("dir"))
	require.NoError(t, m.Remove("dir"))
	require.ErrorIs(t, m.Remove("dir"), fs.ErrNotExist)
	require.ErrorIs(t, m.Remove("."), fs.ErrNotExist)
	require.ErrorIs(t, m.SyncDir("dir"), fs.ErrNotExist)
	free, total, err := m.Space()
	require.NoError(t, err)
	require.Equal(t, total, free)
	require.EqualValues(t, 1<<20, total)
}

// An agent without a storage directory keeps its evidence in the memory that it was given, whatever comes.
func TestMemoryTakesNoMoreThanItMay(t *testing.T) {
	const maxBytes = 8 << 20
	m := evidence.NewMemory(maxBytes)
	s := open(t, m, evidence.Limits{MaxBytes: 1 << 30, MaxIncidentBytes: 4 << 20})
	heap := func() int64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	before := heap()
	for n := 1; n <= 60; n++ {
		var files []messages.EvidenceFile
		for _, p := range []string{"nodes/data-0/a", "nodes/data-0/b"} {
			w, err := s.Create(idOf(n), p, "", 0)
			require.NoError(t, err)
			for range 300 {
				_, err := w.Write(make([]byte, 1000))
				require.NoError(t, err)
			}
			f, err := w.Commit()
			require.NoError(t, err)
			files = append(files, f)
		}
		require.NoError(t, s.Put(incident(n, messages.IncidentFrozen, files...)))
		free, _, err := m.Space()
		require.NoError(t, err)
		require.Positive(t, free)
	}
	require.Len(t, s.List(), 13)
	require.Less(t, heap()-before, int64(maxBytes*5/4))
	for i := range s.All() {
		require.NoError(t, s.Verify(i.ID))
	}
	runtime.KeepAlive(m)

	w, err := m.Create("a")
	require.NoError(t, err)
	n, err := w.Write(make([]byte, maxBytes))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Less(t, n, maxBytes)
	require.ErrorIs(t, m.Mkdir("b"), syscall.ENOSPC)
}
