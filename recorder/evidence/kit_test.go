package evidence_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/evidence"
)

var begin = time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)

// idOf returns the n-th id.
func idOf(n int) string { return fmt.Sprintf("01JDZX3M9V5T6Q2W8R4Y%06d", n) }

// incident returns the n-th incident, in a state, with these files of one node.
func incident(n int, state messages.IncidentState, files ...messages.EvidenceFile) *messages.Incident {
	return &messages.Incident{
		ID: idOf(n), Kind: messages.IncidentRule, State: state, FirstOccurrence: begin.Add(time.Duration(n) * time.Minute),
		Rules: []messages.IncidentAlert{{Rule: "EndpointDown", NodeID: "data-0"}},
		Nodes: []messages.IncidentNode{{NodeID: "data-0", Dir: "nodes/data-0", Files: files}},
	}
}

func open(t *testing.T, fs evidence.FS, limits evidence.Limits) *evidence.Store {
	t.Helper()
	s, r, err := evidence.Open(fs, limits, begin)
	require.NoError(t, err)
	require.Empty(t, r.Problems)
	return s
}

// write stores a file.
func write(t *testing.T, s *evidence.Store, id, path string, text []byte) messages.EvidenceFile {
	t.Helper()
	w, err := s.Create(id, path, messages.EvidenceConfig, 0)
	require.NoError(t, err)
	n, err := w.Write(text)
	require.NoError(t, err)
	require.Len(t, text, n)
	f, err := w.Commit()
	require.NoError(t, err)
	return f
}

// read reads a file.
func read(t *testing.T, s *evidence.Store, id, path string) string {
	t.Helper()
	f, err := s.OpenFile(id, path)
	require.NoError(t, err)
	defer f.Close()
	p := make([]byte, f.Size())
	_, err = f.ReadAt(p, 0)
	require.NoError(t, err)
	return string(p)
}
