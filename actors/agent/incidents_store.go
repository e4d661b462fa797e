package agent

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"fodc/messages"
	"fodc/recorder/evidence"

	"go.uber.org/zap"
)

const (
	// prepareTimeout is how long the disk may take to begin an incident. Then it is kept in memory.
	prepareTimeout = 2 * time.Second
	// storePatience is how long the incidents of former processes are waited for.
	storePatience = 5 * time.Second
	// storeRetry is after which time a directory is tried again that cannot be used.
	storeRetry = time.Minute
	// newIncidentBytes is how much room is made before an incident begins, leastIncidentBytes how much there must be: with less there
	// would be a document without evidence, for which others were removed.
	newIncidentBytes   = 16 << 20
	leastIncidentBytes = 1 << 20
)

// Messages to the actor of the incidents, from goroutines that use a store.
type (
	incidentStoreOpened struct {
		store *incidentStore
		docs  []messages.Incident
		err   error
		// report says what was found; empty: nothing of note.
		report string
	}
	incidentSaved struct {
		id  string
		err error
	}
	incidentsEvicted struct{ ids []string }
	// incidentPrepared says where the evidence of an incident goes.
	incidentPrepared struct {
		id    string
		store *incidentStore
		// err is why it is not on disk.
		err error
	}
)

// incidentStore is a store of evidence, and the documents that wait to be written to it. One goroutine writes them: it
// hangs for as long as the disk does.
type incidentStore struct {
	*evidence.Store
	log    *zap.Logger
	onDisk bool

	mu      sync.Mutex
	pending map[string]*messages.Incident // nil: it is to be removed
	order   []string
	writing bool
	idle    chan struct{} // closed when nothing waits
}

func newIncidentStore(log *zap.Logger, store *evidence.Store, onDisk bool) *incidentStore {
	s := &incidentStore{Store: store, log: log, onDisk: onDisk, pending: map[string]*messages.Incident{}, idle: make(chan struct{})}
	close(s.idle)
	return s
}

// save has a document written, or the incident removed, if it is nil. Of several documents of an incident that wait
// only the last one is.
func (s *incidentStore) save(self sender, id string, doc *messages.Incident) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, waits := s.pending[id]; !waits {
		s.order = append(s.order, id)
	}
	s.pending[id] = doc
	if !s.writing {
		s.writing, s.idle = true, make(chan struct{})
		go s.run(self)
	}
}

func (s *incidentStore) run(self sender) {
	for {
		s.mu.Lock()
		if len(s.order) == 0 {
			s.writing = false
			close(s.idle)
			s.mu.Unlock()
			return
		}
		id := s.order[0]
		s.order = s.order[1:]
		doc := s.pending[id]
		delete(s.pending, id)
		s.mu.Unlock()
		self.send(incidentSaved{id, s.write(id, doc)})
		if ids := s.Evicted(); len(ids) > 0 {
			self.send(incidentsEvicted{ids})
		}
	}
}

// write writes one document. A panic is an error; the log has its stack.
func (s *incidentStore) write(id string, doc *messages.Incident) error {
	return recovered(s.log, "writing an incident", func() error {
		if doc == nil {
			return s.Delete(id)
		}
		return s.Put(doc)
	})
}

// whenIdle returns a channel that is closed when nothing waits any more.
func (s *incidentStore) whenIdle() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.idle
}

var errDiskSlow = fmt.Errorf("the disk does not answer within %s", prepareTimeout)

// beginOnDisk makes room on disk, and writes the document. Where there is no room for evidence, nothing is removed.
func beginOnDisk(disk *incidentStore, doc *messages.Incident) error {
	if disk.MakeRoom(newIncidentBytes, time.Now()) != nil { // Smaller files may have room.
		if err := disk.MakeRoom(leastIncidentBytes, time.Now()); err != nil {
			return err
		}
	}
	return disk.write(doc.ID, doc)
}

// prepareIncident begins an incident in a store: on disk, or else in memory. It takes at most prepareTimeout.
func prepareIncident(log *zap.Logger, disk, memory *incidentStore, doc *messages.Incident) incidentPrepared {
	m := incidentPrepared{id: doc.ID, store: disk, err: errors.New("the directory of the evidence cannot be used")}
	if disk != nil {
		done := make(chan error, 1)
		go func() {
			done <- recovered(log, "beginning an incident", func() error { return beginOnDisk(disk, doc) })
		}()
		timer := time.NewTimer(prepareTimeout)
		defer timer.Stop()
		select {
		case m.err = <-done:
		case <-timer.C:
			m.err = errDiskSlow
		}
		if m.err == nil {
			return m
		}
	}
	m.store = memory
	_ = recovered(log, "making room for an incident", func() error { return memory.MakeRoom(newIncidentBytes/memoryEvidenceShare, time.Now()) })
	if err := memory.write(doc.ID, doc); err != nil {
		m.err = errors.Join(m.err, err)
	}
	return m
}
