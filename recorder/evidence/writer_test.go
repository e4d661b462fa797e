package evidence_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/evidence"
	"fodc/recorder/evidence/evidencetest"
)

func TestLimitOfAFile(t *testing.T) {
	s := open(t, evidencetest.New(), evidence.Limits{})
	const id, path = "01JDZX3M9V5T6Q2W8R4Y000001", "nodes/data-0/logs/node.log"
	put := func(w *evidence.Writer, err error) *evidence.Writer {
		t.Helper()
		require.NoError(t, err)
		for _, text := range []string{"123", "456", "789"} {
			n, err := w.Write([]byte(text))
			require.NoError(t, err)
			require.Equal(t, 3, n)
		}
		return w
	}
	f, err := put(s.Create(id, path, "nodelog", 5)).Commit()
	require.NoError(t, err)
	require.True(t, f.Truncated)
	require.EqualValues(t, 5, f.Bytes)
	require.Equal(t, sum([]byte("12345")), f.SHA256)
	f, err = put(s.Create(id, path, "nodelog", 9)).Commit()
	require.NoError(t, err)
	require.False(t, f.Truncated)
	f, err = put(s.CreateWhole(id, path, "nodelog", 9)).Commit()
	require.NoError(t, err)
	require.False(t, f.Truncated)

	w, err := s.CreateWhole(id, "nodes/data-0/heap", "profile/heap", 5)
	require.NoError(t, err)
	_, err = w.Write([]byte("123456"))
	require.ErrorIs(t, err, evidence.ErrTooLarge)
	require.ErrorContains(t, err, "nodes/data-0/heap has more than 5 bytes")
	_, err = w.Commit()
	require.ErrorIs(t, err, evidence.ErrTooLarge)
	_, err = w.Commit()
	require.ErrorIs(t, err, fs.ErrClosed)
	_, err = w.Write([]byte("1"))
	require.ErrorIs(t, err, fs.ErrClosed)
	w.Abort()
	_, err = s.Stat(id, "nodes/data-0/heap")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestDocumentsNameWhatIsThere(t *testing.T) {
	s := open(t, evidencetest.New(), evidence.Limits{})
	const path = "nodes/data-0/config.json"
	f := func(why string, is error, files ...messages.EvidenceFile) {
		t.Helper()
		err := s.Put(incident(1, messages.IncidentOpen, files...))
		require.ErrorIs(t, err, is)
		require.ErrorContains(t, err, why)
	}
	f("names the file nodes/data-0/config.json, which is not stored", fs.ErrNotExist, messages.EvidenceFile{Path: path})
	require.Empty(t, s.List())
	require.Zero(t, s.Usage().Incidents, "nothing came of it")
	w, err := s.Create(idOf(1), path, "config", 0)
	require.NoError(t, err)
	f("which is not stored", fs.ErrNotExist, messages.EvidenceFile{Path: path})
	_, err = w.Write([]byte("{}"))
	require.NoError(t, err)
	good, err := w.Commit()
	require.NoError(t, err)
	bad := good
	bad.Bytes = 3
	f("of 3 bytes", evidence.ErrMismatch, bad)
	bad = good
	bad.SHA256 = "00"
	f(`SHA-256 "00"`, evidence.ErrMismatch, bad)
	f("twice", evidence.ErrInvalid, good, good)
	bad = good
	bad.Path = "nodes/data-1/config.json"
	f("nodes/data-1/config.json", evidence.ErrInvalid, bad)
	require.ErrorIs(t, s.Put(&messages.Incident{ID: "../x"}), evidence.ErrInvalid)
	require.NoError(t, s.Put(incident(1, messages.IncidentOpen, good)))

	// It is replaced: until it is named again, no document names it.
	again := write(t, s, idOf(1), path, []byte("{2}"))
	got, _ := s.Get(idOf(1))
	require.Empty(t, got.Nodes[0].Files)
	f("of 2 bytes", evidence.ErrMismatch, good)
	require.NoError(t, s.Put(incident(1, messages.IncidentOpen, again)))
	require.Equal(t, "{2}", read(t, s, idOf(1), path))
}

func TestDocumentsOfFilesThatAreElsewhere(t *testing.T) {
	d := evidence.NewMemory(1 << 20)
	s := open(t, d, evidence.Limits{FilesElsewhere: true})
	i := incident(1, messages.IncidentCollected, messages.EvidenceFile{Path: "nodes/data-0/x", Bytes: 7, SHA256: strings.Repeat("0", 64)})
	i.Nodes[0].Bytes = 7
	for range 2 {
		require.NoError(t, s.Put(i))
		got, _ := s.Get(idOf(1))
		require.Equal(t, i.Nodes[0].Files, got.Nodes[0].Files)
		require.EqualValues(t, 7, got.Nodes[0].Bytes)
		_, err := s.OpenFile(idOf(1), "nodes/data-0/x")
		require.ErrorIs(t, err, fs.ErrNotExist)
		s = open(t, d, evidence.Limits{FilesElsewhere: true})
	}
}

func TestNamesOfFiles(t *testing.T) {
	s := open(t, evidencetest.New(), evidence.Limits{})
	write(t, s, idOf(1), "nodes/data-0/logs/node.log", nil)
	f := func(path string) {
		t.Helper()
		_, err := s.Create(idOf(1), path, "", 0)
		require.ErrorIs(t, err, evidence.ErrInvalid)
		_, err = s.OpenPart(idOf(1), path)
		require.ErrorIs(t, err, evidence.ErrInvalid)
	}
	for _, path := range []string{"", "..", "../x", "/etc/passwd", "a/../b", "a\\b", "nul", "a:b", "incident.json", "INCIDENT.JSON", "a.tmp~", "a~1"} {
		f(path)
	}
	f("nodes/data-0/logs/Node.log")
	f("nodes/Data-0/logs/other.log")
	f("nodes/data-0/logs")
	f("nodes/data-0/logs/node.log/x")
	for _, id := range []string{"", ".", "../01JDZX3M9V5T6Q2W8R4Y000001", "01jdzx3m9v5t6q2w8r4y000001"} {
		_, err := s.Create(id, "x", "", 0)
		require.ErrorIs(t, err, evidence.ErrInvalid)
	}
	for _, path := range []string{"../x", "incident.json"} {
		require.ErrorIs(t, s.Remove(idOf(1), path), evidence.ErrInvalid)
		_, err := s.Stat(idOf(1), path)
		require.ErrorIs(t, err, evidence.ErrInvalid)
		_, err = s.OpenFile(idOf(1), path)
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	_, err := s.OpenFile("..", "x")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = s.OpenFile(idOf(1), "nodes/data-0/logs/node.log.tmp~")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestNumberOfFilesIsBounded(t *testing.T) {
	s := open(t, evidence.NewMemory(1<<30), evidence.Limits{})
	var err error
	files := 0
	for ; err == nil && files < 30_000; files++ {
		var w *evidence.Writer
		if w, err = s.Create(idOf(1), "nodes/data-0/"+string(rune('a'+files%26))+strings.Repeat("x", files/26%20)+"/"+idOf(files), "", 0); err == nil {
			_, err = w.Commit()
		}
	}
	require.ErrorIs(t, err, evidence.ErrFull)
	require.ErrorContains(t, err, "at most 20000 are allowed")
}

// An incident that is removed while it is written or read harms nobody.
func TestDeletedWhileInUse(t *testing.T) {
	eachFS(t, func(t *testing.T, d evidence.FS) {
		s := open(t, d, evidence.Limits{})
		require.NoError(t, s.Put(incident(1, messages.IncidentFrozen)))
		w, err := s.Create(idOf(1), "nodes/data-0/x", "", 0)
		require.NoError(t, err)
		_, err = w.Write([]byte("one"))
		require.NoError(t, err)
		p, err := s.OpenPart(idOf(1), "nodes/data-0/y")
		require.NoError(t, err)
		require.NoError(t, s.Delete(idOf(1)))
		require.ErrorIs(t, s.Delete(idOf(1)), fs.ErrNotExist)

		require.NoError(t, s.Put(incident(1, messages.IncidentFrozen, write(t, s, idOf(1), "nodes/data-0/x", []byte("another")))))
		_, err = w.Write([]byte("two"))
		require.ErrorIs(t, err, fs.ErrNotExist)
		_, err = w.Commit()
		require.Error(t, err)
		_, err = p.Write([]byte("two"))
		require.ErrorIs(t, err, fs.ErrNotExist)
		_ = p.Close()
		require.NoError(t, s.Verify(idOf(1)))
		require.Equal(t, "another", read(t, s, idOf(1), "nodes/data-0/x"))

		open, err := s.OpenFile(idOf(1), "nodes/data-0/x")
		require.NoError(t, err)
		require.NoError(t, s.Delete(idOf(1)))
		_, _ = open.ReadAt(make([]byte, 1), 0)
		require.NoError(t, open.Close())
		require.Zero(t, s.Usage().Bytes)
		require.Zero(t, s.Usage().Memory)
	})
}

func TestOpenIncidentIsNotDeleted(t *testing.T) {
	s := open(t, evidencetest.New(), evidence.Limits{})
	require.NoError(t, s.Put(incident(1, messages.IncidentOpen)))
	require.ErrorIs(t, s.Delete(idOf(1)), messages.ErrIncidentOpen)
	require.NoError(t, s.Put(incident(1, messages.IncidentFrozen)))
	require.NoError(t, s.Delete(idOf(1)))
	require.ErrorIs(t, s.Delete("x"), fs.ErrNotExist)
}
