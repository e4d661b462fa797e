package evidence_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/evidence"
	"fodc/recorder/evidence/dirfs"
)

// eachFS runs a test on a real disk and in memory.
func eachFS(t *testing.T, f func(t *testing.T, fs evidence.FS)) {
	t.Run("disk", func(t *testing.T) { f(t, dirfs.New(filepath.Join(t.TempDir(), "storage", "incidents"))) })
	t.Run("memory", func(t *testing.T) { f(t, evidence.NewMemory(16<<20)) })
}

func TestIncidentIsStored(t *testing.T) {
	eachFS(t, func(t *testing.T, d evidence.FS) {
		s := open(t, d, evidence.Limits{})
		require.NoError(t, s.Put(incident(1, messages.IncidentOpen)))
		const heap = "nodes/data-0/profiles/heap.pb.gz"
		f := write(t, s, idOf(1), heap, []byte("heap"))
		require.Equal(t, messages.EvidenceFile{Path: heap, What: messages.EvidenceConfig, Bytes: 4,
			SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte("heap")))}, f)
		require.NoError(t, s.Put(incident(1, messages.IncidentFrozen, f)))
		require.NoError(t, s.Put(incident(2, messages.IncidentFrozen)))

		for range 2 { // Also when it is opened again.
			got, has := s.Get(idOf(1))
			require.True(t, has)
			require.EqualValues(t, 4, got.Nodes[0].Bytes)
			require.Equal(t, []messages.EvidenceFile{f}, got.Nodes[0].Files)
			require.Equal(t, "heap", read(t, s, idOf(1), heap))
			require.Contains(t, read(t, s, idOf(1), "incident.json"), idOf(1))
			require.NoError(t, s.Verify(idOf(1)))
			require.Len(t, s.List(), 2)
			require.Equal(t, 2, s.Usage().Incidents)
			s = open(t, d, evidence.Limits{})
		}

		require.NoError(t, s.Delete(idOf(2)))
		require.NoError(t, s.Remove(idOf(1), heap))
		got, _ := s.Get(idOf(1))
		require.Empty(t, got.Nodes[0].Files)
		_, err := s.OpenFile(idOf(1), heap)
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.NoError(t, s.Delete(idOf(1)))
		require.Zero(t, s.Usage().Bytes)
		require.Zero(t, s.Usage().Memory)
		require.Empty(t, s.List())
	})
}

func TestFileComesInParts(t *testing.T) {
	eachFS(t, func(t *testing.T, d evidence.FS) {
		s := open(t, d, evidence.Limits{})
		require.NoError(t, s.Put(incident(1, messages.IncidentFrozen)))
		const log = "nodes/data-0/logs/node.log"
		want := write(t, s, idOf(1), log, []byte("one two three"))
		require.NoError(t, s.Remove(idOf(1), log))
		for i, text := range []string{"one ", "two ", "three"} {
			size, err := s.Part(idOf(1), log)
			require.NoError(t, err)
			require.EqualValues(t, i*4, size)
			p, err := s.OpenPart(idOf(1), log)
			require.NoError(t, err)
			require.EqualValues(t, i*4, p.Size())
			_, err = s.OpenPart(idOf(1), log)
			require.ErrorIs(t, err, evidence.ErrBusy)
			_, err = p.Write([]byte(text))
			require.NoError(t, err)
			if i == 2 {
				require.NoError(t, p.Finish(want))
			}
			require.NoError(t, p.Close())
			if i == 0 {
				s = open(t, d, evidence.Limits{})
			}
		}
		require.NoError(t, s.Put(incident(1, messages.IncidentCollected, want)))
		require.Equal(t, "one two three", read(t, s, idOf(1), log))

		p, err := s.OpenPart(idOf(1), "nodes/data-0/x")
		require.NoError(t, err)
		_, err = p.Write([]byte("other"))
		require.NoError(t, err)
		require.ErrorIs(t, p.Finish(want), evidence.ErrMismatch)
		size, err := s.Part(idOf(1), "nodes/data-0/x")
		require.NoError(t, err)
		require.Zero(t, size)
	})
}
