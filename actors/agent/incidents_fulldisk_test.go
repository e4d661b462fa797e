package agent

import (
	"sync"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/evidence"

	"github.com/stretchr/testify/require"
)

// A full disk is what many incidents are about, and the database's disk is the agent's. Where it has no room for evidence that is worth
// the name, that is in memory, and no other incident is removed for a document without evidence.
func TestIncidentOnFullDisk(t *testing.T) {
	const size = 8 << 20
	for name, free := range map[string]uint64{
		"nothing is free":                   0,
		"a document has room, if others go": size/40 - 512,
		"a document has room":               size / 25,
	} {
		t.Run(name, func(t *testing.T) {
			inIncidents(t, func(t *testing.T, w *incidentsWorld) { incidentOnFullDisk(t, w, size, free) })
		})
	}
}

func incidentOnFullDisk(t *testing.T, w *incidentsWorld, size, free uint64) {
	disk := &sharedDisk{FS: evidence.NewMemory(256 << 20)}
	w.cfg.Incidents.FS, w.cfg.Incidents.Limits = disk, evidence.Limits{MinFree: 0.05}
	w.run()
	w.pass(11 * time.Minute)
	fire := func(memory, disk string) {
		w.node.serve(page(memory, disk), nil)
		w.pass(25 * time.Second)
		w.node.serve(page("1", "1"), nil)
		w.pass(4 * time.Minute)
	}
	fire("7", "1")
	first := w.one()
	require.Empty(t, first.Nodes[0].Missing)
	disk.share(size, free)
	fire("1", "7")
	list := w.list()
	require.Len(t, list, 2, "the one before is still there")
	second := list[0]
	require.Equal(t, "DiskHigh", second.Rules[0].Rule)
	require.Equal(t, messages.IncidentFrozen, second.State)
	require.Len(t, second.Nodes[0].Missing, 1)
	require.Equal(t, "storage", second.Nodes[0].Missing[0].What)
	require.Contains(t, second.Nodes[0].Missing[0].Reason, "the evidence is in memory")
	require.Contains(t, second.Nodes[0].Missing[0].Reason, "--storage-min-free")
	require.Contains(t, files(second), "process/status.txt")
	require.Contains(t, files(second), "window.journal")
	require.NotEmpty(t, w.content(first, "window.journal"))
}

// sharedDisk is a disk that others use, too.
type sharedDisk struct {
	evidence.FS
	mu           sync.Mutex
	total, other uint64
}

// share says how large the disk is, and how much of it others leave.
func (d *sharedDisk) share(total, free uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.total, d.other = total, total-free-d.used()
}

func (d *sharedDisk) used() uint64 {
	free, total, _ := d.FS.Space()
	return total - free
}

func (d *sharedDisk) Space() (free, total uint64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.total == 0 {
		return d.FS.Space()
	}
	return d.total - min(d.total, d.other+d.used()), d.total, nil
}
