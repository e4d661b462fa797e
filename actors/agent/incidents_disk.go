package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"fodc/actors"
	"fodc/actors/agent/capture"
	"fodc/messages"
	"fodc/recorder/evidence"

	"go.uber.org/zap"
)

// incidentsCloseTimeout bounds how long a stop waits for what is not captured yet, and then for the documents of incidents.
const incidentsCloseTimeout = 500 * time.Millisecond

func errNoIncident(id string) error {
	return messages.Errorf(messages.ErrNotFound, "there is no incident %.40q", id)
}

// openDisk opens the directory of the evidence. A panic is an error.
func (i *incidents) openDisk(ctx context.Context) (m incidentStoreOpened) {
	m.err = errors.New("opening the directory has failed")
	defer func() {
		if p := recover(); p != nil {
			i.log.Error("opening the directory of incidents panicked", zap.Any("panic", p), zap.Stack("stack"))
			m = incidentStoreOpened{err: fmt.Errorf("panic: %.200v", p)}
		}
	}()
	store, report, err := i.cfg.open(ctx)
	if err != nil {
		return incidentStoreOpened{err: err}
	}
	m = incidentStoreOpened{store: newIncidentStore(i.log, store, true), docs: store.List()}
	for n := range m.docs {
		if m.docs[n].State == messages.IncidentOpen {
			nameFiles(store, &m.docs[n])
		}
	}
	if len(report.Problems) > 0 {
		m.report = fmt.Sprintf("%d incidents or files are not as they were stored, the first one: %v", len(report.Problems), report.Problems[0])
	}
	return m
}

// nameFiles adds the files to an incident that a former process had captured when it was killed: a node is not asked for them
// twice.
func nameFiles(store *evidence.Store, doc *messages.Incident) {
	if len(doc.Nodes) != 1 {
		return
	}
	node := &doc.Nodes[0]
	for _, path := range store.Unnamed(doc.ID) {
		file, in := strings.CutPrefix(path, node.Dir+"/")
		what := capture.What(file)
		if !in || what == "" || len(node.Files) >= messages.MaxEvidenceFiles {
			continue
		}
		if f, err := store.Stat(doc.ID, path); err == nil {
			f.What = what
			node.Files, node.Bytes = append(node.Files, f), node.Bytes+f.Bytes
		}
	}
}

func (i *incidents) onOpened(c actors.Context, m incidentStoreOpened, now time.Time) {
	if m.err != nil {
		if i.storage.record(m.err.Error(), now) {
			writeEntry(i.log, logEntry{warn: true, text: "evidence of incidents is kept in memory: the directory cannot be used (--storage-dir)", cause: shortCause(m.err)})
		}
		i.retry.Arm(c, storeRetry)
		i.do(c, i.loadedOnce(nil, now), now)
		return
	}
	if lasted, times, was := i.storage.end(now); was {
		writeEntry(i.log, logEntry{text: "evidence of incidents is kept on disk again", lasted: lasted, times: times})
	}
	if m.report != "" {
		writeEntry(i.log, logEntry{warn: true, text: "the directory of incidents is damaged", cause: shortText(m.report)})
	}
	i.disk = m.store
	for n := range m.docs {
		if id := m.docs[n].ID; i.stores[id] == nil {
			i.stores[id] = m.store
		}
	}
	i.do(c, i.state.loaded(m.docs, now), now)
	i.pin()
}

// loadedOnce begins without the incidents of former processes, unless it has begun.
func (i *incidents) loadedOnce(docs []messages.Incident, now time.Time) []incidentEffect {
	if i.state.ready {
		return nil
	}
	return i.state.loaded(docs, now)
}

func (i *incidents) onSaved(m incidentSaved, now time.Time) {
	switch {
	case m.err == nil:
		if i.state.entries[m.id] == nil {
			delete(i.stores, m.id)
		}
		if lasted, times, was := i.saving.end(now); was {
			writeEntry(i.log, logEntry{text: "incidents can be written again", lasted: lasted, times: times})
		}
		return
	case errors.Is(m.err, fs.ErrNotExist) && i.state.entries[m.id] == nil:
		delete(i.stores, m.id)
		return
	}
	if i.saving.record(m.err.Error(), now) {
		writeEntry(i.log, logEntry{warn: true, text: "an incident cannot be written, and is lost if the agent ends: " + m.id, cause: shortCause(m.err)})
	}
	i.state.saveFailed(m.id, now)
	i.show()
}

// pin has the journal keep the times of the incidents that are not frozen.
func (i *incidents) pin() {
	if i.agent.journal != nil {
		i.sys.Send(i.agent.journal, pinJournal{i.state.pins()})
	}
}
