package proxy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"
	"fodc/recorder/evidence"

	"github.com/stretchr/testify/require"
)

// serveEvidence answers questions for the bytes of a file, and ends the connection after so many bytes, if that
// is not 0.
func (a *fakeAgent) serveEvidence(file []byte, cut int) {
	p := a.peer(kindsOfQuestions["evidence"])
	synctest.Wait()
	go func() {
		sent := 0
		for {
			q, ok := p.next()
			if !ok {
				return
			}
			want, ok := q.Question.(messages.EvidenceQuestion)
			if !ok {
				continue
			}
			data := file[want.Offset:min(want.Offset+want.Length, int64(len(file)))]
			if sent += len(data); cut != 0 && sent > cut {
				_ = a.conn.Close()
				return
			}
			p.send(q, wire.Reply{Part: &messages.ProfileChunk{Data: data, Last: true, FileSize: int64(len(file))}, End: wire.EndYes})
		}
	}()
}

// inEvidenceWorld runs the test with a proxy that keeps evidence in the store.
func inEvidenceWorld(t *testing.T, keep *KeepLastConfig, test func(t *testing.T, w *world, store *evidence.Store)) {
	cfg := testConfig
	cfg.Evidence = &EvidenceConfig{Blocks: countingBlocks, KeepLast: keep}
	inWorld(t, cfg, func(t *testing.T, w *world) {
		store := openEvidence(t, evidence.NewMemory(64<<20))
		require.Equal(t, w.proxy.evidence, w.proxy.openedEvidence(store))
		test(t, w, store)
	})
}

func (w *world) fetch(m fetchEvidence) nodeFetched {
	w.T.Helper()
	r, err := actors.Ask[nodeFetched](w.T.Context(), w.sys, w.proxy.evidence, m)
	require.NoError(w.T, err)
	return r
}

func nodeWith(path string, file []byte) messages.IncidentNode {
	sum := sha256.Sum256(file)
	return messages.IncidentNode{NodeID: "n1", IncidentID: anIncidentID, Dir: messages.EvidenceDir("n1"), Files: []messages.EvidenceFile{
		{Path: path, What: messages.EvidenceProfile, Bytes: int64(len(file)), SHA256: hex.EncodeToString(sum[:])}}}
}

// A file comes over the stream of incidents. When the connection breaks, it goes on where it has stopped.
func TestEvidenceComesOverStreams(t *testing.T) {
	inEvidenceWorld(t, nil, func(t *testing.T, w *world, store *evidence.Store) {
		a := w.connect(firstOf("n1", true))
		a.beat()
		a.serveEvidence(aFile, 2<<20)
		m := fetchEvidence{incidentID: anIncidentID, node: nodeWith("nodes/n1/profiles/heap.pb.gz", aFile)}
		r := w.fetch(m)
		require.False(t, r.done)
		require.NotEmpty(t, r.missing)
		has, err := store.Part(anIncidentID, m.node.Files[0].Path)
		require.NoError(t, err)
		require.EqualValues(t, 2<<20, has)

		a = w.connect(firstOf("n1", true))
		a.beat()
		a.serveEvidence(aFile, len(aFile)-2<<20)
		r = w.fetch(m)
		require.True(t, r.done)
		require.Equal(t, m.node.Files, r.files)
		f, err := store.OpenFile(anIncidentID, m.node.Files[0].Path)
		require.NoError(t, err)
		got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
		require.NoError(t, err)
		require.Equal(t, aFile, got)
	})
}

// The samples of an agent that knows nothing of incidents are collected from its stream of metrics.
func TestEvidenceOfAnAgentOfTheField(t *testing.T) {
	inEvidenceWorld(t, nil, func(t *testing.T, w *world, store *evidence.Store) {
		a := w.connect(baseline("n1"))
		a.beat()
		now := time.Now()
		m := fetchEvidence{incidentID: anIncidentID, from: evidenceOfStream,
			node: messages.IncidentNode{NodeID: "n1", From: now.Add(-5 * time.Minute), To: now.Add(-time.Minute)}}
		a.openMetrics(always(1))
		r := w.fetch(m)
		require.True(t, r.done, r.missing)
		require.Len(t, r.files, 3)
		_, err := store.OpenFile(anIncidentID, "nodes/n1/window.journal")
		require.Error(t, err)
	})
}

// What is removed is not fetched any more, and a proxy that stops leaves nothing running.
func TestEvidenceIsForgotten(t *testing.T) {
	inEvidenceWorld(t, nil, func(t *testing.T, w *world, store *evidence.Store) {
		a := w.connect(firstOf("n1", true))
		a.beat()
		p := a.peer(kindsOfQuestions["evidence"])
		m := fetchEvidence{incidentID: anIncidentID, node: nodeWith("nodes/n1/x", aFile)}
		w.sys.Send(w.proxy.evidence, m)
		_, ok := p.next()
		require.True(t, ok)
		w.sys.Send(w.proxy.evidence, forgetEvidence{anIncidentID})
		synctest.Wait()
		require.Zero(t, store.Usage().Bytes)
		w.sys.Send(w.proxy.evidence, m)
		synctest.Wait()
	})
}

// Without a store, a file passes through.
func TestEvidencePassesThrough(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		require.Nil(t, w.proxy.evidence)
		a := w.connect(firstOf("n1", true))
		a.beat()
		a.serveEvidence(aFile, 0)
		n := nodeWith("nodes/n1/x", aFile)
		r, size, err := w.proxy.passEvidence(t.Context(), &n, "nodes/n1/x")
		require.NoError(t, err)
		require.EqualValues(t, len(aFile), size)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, aFile, got)
		require.NoError(t, r.Close())

		r, _, err = w.proxy.passEvidence(t.Context(), &n, "nodes/n1/x")
		require.NoError(t, err)
		require.NoError(t, r.Close(), "nobody reads it to its end")

		other := nodeWith("nodes/n1/x", append(bytes.Clone(aFile[1:]), 0))
		r, _, err = w.proxy.passEvidence(t.Context(), &other, "nodes/n1/x")
		require.NoError(t, err)
		_, err = io.ReadAll(r)
		require.ErrorContains(t, err, "other bytes")
		require.NoError(t, r.Close())

		var said *messages.Error
		_, _, err = w.proxy.passEvidence(t.Context(), &n, "nodes/n1/y")
		require.True(t, errors.As(err, &said) && said.Kind == messages.ErrNotFound)
		gone := n
		gone.NodeID = "n2"
		_, _, err = w.proxy.passEvidence(t.Context(), &gone, "nodes/n1/x")
		require.True(t, errors.As(err, &said) && said.Kind == messages.ErrNotFound)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err = w.proxy.passEvidence(ctx, &n, "nodes/n1/x")
		require.ErrorIs(t, err, context.Canceled)
	})
}
