package agent

import (
	"context"
	"fmt"

	"fodc/actors"
	"fodc/messages"
)

// incidentSource answers what proxies ask of incidents.
type incidentSource struct {
	sys   *actors.System
	keep  *actors.PID
	reads *boundedReads
}

func newIncidentSource(sys *actors.System, keep *actors.PID) incidentSource {
	return incidentSource{sys, keep, newBoundedReads(sys.Log())}
}

// Answer implements Source.
func (s incidentSource) Answer(ctx context.Context, q messages.Question, emit func(messages.Part) error) error {
	switch q := q.(type) {
	case messages.IncidentsQuestion:
		return s.list(ctx, q, emit)
	case messages.FreezeQuestion:
		return s.one(ctx, askFreeze{q}, emit)
	case messages.IncidentActionQuestion:
		return s.one(ctx, actOnIncident{q.IncidentID, q.Action}, emit)
	case messages.EvidenceQuestion:
		found, err := s.ask(ctx, getIncident{q.IncidentID})
		if err != nil {
			return err
		}
		return s.reads.each(ctx, func(next func(messages.Part) error) error { return readEvidence(found.store, q, next) }, emit)
	default:
		return fmt.Errorf("no answer to a question of the type %T", q)
	}
}

func (s incidentSource) ask(ctx context.Context, question any) (incidentFound, error) {
	found, err := actors.Ask[incidentFound](ctx, s.sys, s.keep, question)
	if err == nil {
		err = found.err
	}
	return found, err
}

// list emits the incidents that the proxy does not have as they are.
func (s incidentSource) list(ctx context.Context, q messages.IncidentsQuestion, emit func(messages.Part) error) error {
	var known uint64
	for _, revision := range q.Known { // It has one entry: that of this agent.
		known = revision
	}
	list, err := actors.Ask[incidentList](ctx, s.sys, s.keep, listIncidents{known})
	if err != nil {
		return err
	}
	if known != list.revision {
		for _, doc := range list.docs {
			if err := emit(&messages.IncidentRecord{Incident: *doc}); err != nil {
				return err
			}
		}
	}
	return emit(messages.IncidentRevision(list.revision))
}

// one emits one incident, or the revision if it is gone.
func (s incidentSource) one(ctx context.Context, question any, emit func(messages.Part) error) error {
	found, err := s.ask(ctx, question)
	if err != nil {
		return err
	}
	if found.doc != nil {
		return emit(&messages.IncidentRecord{Incident: *found.doc})
	}
	list, err := actors.Ask[incidentList](ctx, s.sys, s.keep, listIncidents{})
	if err != nil {
		return err
	}
	return emit(messages.IncidentRevision(list.revision))
}

// readEvidence reads what was asked of a file.
func readEvidence(store *incidentStore, q messages.EvidenceQuestion, next func(messages.Part) error) error {
	if store == nil {
		return fmt.Errorf("incident %.40q has no files yet", q.IncidentID)
	}
	f, err := store.OpenFile(q.IncidentID, q.Path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return emitChunks(f.Size(), q.Offset, q.Length, func(p []byte, at int64) error {
		n, err := f.ReadAt(p, at)
		if n == len(p) {
			return nil
		}
		return err
	}, next)
}
