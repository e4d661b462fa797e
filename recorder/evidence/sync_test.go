package evidence_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/disktest"
	"fodc/recorder/evidence"
	"fodc/recorder/evidence/evidencetest"
)

// A document has each directory of its files synced once, however many files there are: a disk under load has to do little.
func TestDirectoriesAreSyncedOnce(t *testing.T) {
	d := evidencetest.New()
	s := open(t, d, evidence.Limits{})
	require.NoError(t, s.Put(incident(1, messages.IncidentOpen)))
	synced := map[string]int{}
	d.Watch(func(op disktest.Op, name string) {
		if op == disktest.SyncDir {
			synced[name]++
		}
	})
	var files []messages.EvidenceFile
	for n := range 10 {
		files = append(files, write(t, s, idOf(1), fmt.Sprintf("nodes/data-0/%s/%d", []string{"process", "profiles"}[n%2], n), []byte("x")))
	}
	require.Empty(t, synced)
	require.NoError(t, s.Put(incident(1, messages.IncidentOpen, files...)))
	at := func(dir string) string { return idOf(1) + dir }
	require.Equal(t, map[string]int{at(""): 2, at("/nodes"): 1, at("/nodes/data-0"): 1, at("/nodes/data-0/process"): 1, at("/nodes/data-0/profiles"): 1}, synced)
	clear(synced)
	require.NoError(t, s.Put(incident(1, messages.IncidentFrozen, files...)))
	require.Equal(t, map[string]int{at(""): 1}, synced)
	for seed := range uint64(20) {
		after := open(t, (&evidencetest.Disk{Disk: d.Copy()}).After(disktest.PowerCut, rand.New(rand.NewPCG(seed, 1))), evidence.Limits{})
		require.NoError(t, after.Verify(idOf(1)))
	}
}

// A document is not written while the names of its files may be lost.
func TestDirectoryThatCannotBeSynced(t *testing.T) {
	d := evidencetest.New()
	s := open(t, d, evidence.Limits{})
	require.NoError(t, s.Put(incident(1, messages.IncidentOpen)))
	f := write(t, s, idOf(1), "nodes/data-0/process/status.txt", []byte("x"))
	for _, dir := range []string{"", "/nodes", "/nodes/data-0", "/nodes/data-0/process"} {
		heal := d.Break(disktest.Fault{Op: disktest.SyncDir, Name: idOf(1) + dir, Err: syscall.EIO})
		require.ErrorIs(t, s.Put(incident(1, messages.IncidentFrozen, f)), syscall.EIO, dir)
		doc, _ := s.Get(idOf(1))
		require.Empty(t, doc.Nodes[0].Files, dir)
		heal()
	}
	require.NoError(t, s.Put(incident(1, messages.IncidentFrozen, f)))
	require.Equal(t, "x", read(t, s, idOf(1), f.Path))
}

// Somebody removes the directory of files that no document names yet.
func TestDirectoryVanishesBeforeTheDocument(t *testing.T) {
	d := evidencetest.New()
	s := open(t, d, evidence.Limits{})
	require.NoError(t, s.Put(incident(1, messages.IncidentOpen)))
	f := write(t, s, idOf(1), "nodes/data-0/process/status.txt", []byte("x"))
	d.Vanish(idOf(1) + "/nodes")
	require.ErrorIs(t, s.Put(incident(1, messages.IncidentFrozen, f)), fs.ErrNotExist)
	require.ErrorContains(t, s.Put(incident(1, messages.IncidentFrozen, f)), "which is not stored")
	f = write(t, s, idOf(1), f.Path, []byte("again"))
	require.NoError(t, s.Put(incident(1, messages.IncidentFrozen, f)))
	require.Equal(t, d.Total(), s.Usage().Bytes)
}
