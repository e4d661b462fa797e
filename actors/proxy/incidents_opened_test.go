package proxy

import (
	"sync/atomic"
	"testing"

	"fodc/actors"
	"fodc/recorder/evidence"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// From the moment that the documents of the former process are there, their files are read from the disk: an agent that has not connected
// again yet is not asked for them.
func TestFilesAreReadFromTheDiskAsSoonAsDocumentsAre(t *testing.T) {
	sys := actors.NewSystem(zap.NewNop())
	t.Cleanup(sys.Shutdown)
	store := openEvidence(t, evidence.NewMemory(1<<20))
	var opened *evidence.Store
	k := newIncidents(sys, Config{Incidents: &IncidentsConfig{OnDisk: true}}, &atomic.Pointer[actors.PID]{}, &atomic.Pointer[actors.PID]{}, nil, func(s *evidence.Store) *actors.PID {
		opened = s
		return nil
	}, nil)
	t.Cleanup(k.cancel)
	k.onLoaded(nil, incidentsLoaded{store: store}) // The collector is not there yet.
	require.Same(t, store, opened)
}
