package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/evidence"

	"github.com/oklog/ulid/v2"
)

// startIncidents starts the actors that notice when something goes wrong and keep the evidence of it, if there are to be any.
// The journal keeps nothing for incidents then.
func (a *Agent) startIncidents(cfg *Config) {
	if cfg.Incidents == nil {
		if a.journal != nil {
			a.sys.Send(a.journal, pinJournal{})
		}
		return
	}
	in := cfg.Incidents
	memory, err := in.openMemory(cfg.MemoryBudget)
	if err != nil { // It has no reason to be.
		a.sys.Log().Error("there are no incidents: " + err.Error())
		return
	}
	state := newIncidentsState(in.times(), a.incidentNode, newIncidentID, time.Now())
	a.incidentStatus = &atomic.Pointer[incidentsStatus]{}
	a.incidentStatus.Store(&incidentsStatus{})
	keep := &incidents{sys: a.sys, log: a.sys.Log(), cfg: in, agent: a, state: state, shown: a.incidentStatus, turn: a.turn,
		memory: newIncidentStore(a.sys.Log(), memory, false), stores: map[string]*incidentStore{}, runs: map[string]*incidentRun{}}
	a.incidents = a.sys.Spawn("incidents", actors.ResumeOnFailure(), func() actors.Actor { return keep })
	shown := a.incidentStatus
	cfg.more = append(cfg.more, func() []recorder.Sample { return incidentSamples(shown.Load()) })
	cfg.Sources = withSource(cfg.Sources, messages.StreamIncidents, newIncidentSource(a.sys, a.incidents))
	a.startRules(cfg)
}

func newIncidentID(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
}

// incidentNode is the node, as an incident has it.
func (a *Agent) incidentNode() messages.IncidentNode {
	r := a.identity.registration()
	id := r.Identity()
	return messages.IncidentNode{NodeID: id.NodeID, Role: id.Role, PodName: id.PodName, Labels: id.Labels, Dir: messages.EvidenceDir(id.NodeID)}
}

var errNoIncidents = messages.Errorf(messages.ErrUnavailable, "this agent has no incidents (--incidents=false)")

// askIncident asks for one incident.
func (a *Agent) askIncident(ctx context.Context, question any) (incidentFound, error) {
	if a.incidents == nil {
		return incidentFound{}, errNoIncidents
	}
	found, err := actors.Ask[incidentFound](ctx, a.sys, a.incidents, question)
	if err != nil {
		return found, unavailable(err)
	}
	return found, found.err
}

// Incidents returns all incidents, newest first. They must not be changed.
func (a *Agent) Incidents(ctx context.Context) ([]*messages.Incident, error) {
	if a.incidents == nil {
		return nil, errNoIncidents
	}
	list, err := actors.Ask[incidentList](ctx, a.sys, a.incidents, listIncidents{})
	return list.docs, unavailable(err)
}

// Incident returns an incident. It must not be changed. The error is of the kind not found if there is none.
func (a *Agent) Incident(ctx context.Context, id string) (*messages.Incident, error) {
	found, err := a.askIncident(ctx, getIncident{id})
	return found.doc, err
}

// OpenEvidence opens a file of an incident, by its path there. It returns when ctx ends, also if the disk hangs; reading the
// file may hang with the disk. The error is of the kind not found if there is no such file.
func (a *Agent) OpenEvidence(ctx context.Context, id, path string) (*evidence.File, error) {
	found, err := a.askIncident(ctx, getIncident{id})
	if err != nil {
		return nil, err
	}
	named := slices.ContainsFunc(found.doc.Nodes[0].Files, func(f messages.EvidenceFile) bool { return f.Path == path })
	if !named || found.store == nil {
		return nil, messages.Errorf(messages.ErrNotFound, "incident %s has no file %.200q", id, path)
	}
	type opened struct {
		file *evidence.File
		err  error
	}
	done, left := make(chan opened), make(chan struct{})
	defer close(left)
	go func() {
		var f *evidence.File
		err := recovered(a.sys.Log(), "opening a file of an incident", func() (err error) {
			f, err = found.store.OpenFile(id, path)
			return err
		})
		select {
		case done <- opened{f, err}:
		case <-left:
			if err == nil {
				_ = f.Close()
			}
		}
	}()
	select {
	case o := <-done:
		if errors.Is(o.err, fs.ErrNotExist) {
			o.err = messages.Errorf(messages.ErrNotFound, "incident %s has no file %.200q any more", id, path)
		}
		return o.file, o.err
	case <-ctx.Done():
		return nil, fmt.Errorf("open %.200q of incident %s: %w", path, id, context.Cause(ctx))
	}
}

// RequestIncident opens an incident because somebody wants one.
func (a *Agent) RequestIncident(ctx context.Context, order messages.IncidentOrder) (*messages.Incident, error) {
	if id := a.identity.identity().NodeID; len(order.Nodes) > 0 && !slices.Contains(order.Nodes, id) {
		return nil, messages.Errorf(messages.ErrNotFound, "this is the agent of node %s", id)
	}
	found, err := a.askIncident(ctx, orderIncident{order})
	return found.doc, err
}

// ActOnIncident does something to an incident. The error is messages.ErrIncidentOpen for what cannot be done while it
// is open.
func (a *Agent) ActOnIncident(ctx context.Context, id string, action messages.IncidentAction) error {
	_, err := a.askIncident(ctx, actOnIncident{id, action})
	return err
}

// ReloadRules reads the files of rules again. If that fails, the rules stay as they were.
func (a *Agent) ReloadRules(ctx context.Context) error {
	if a.rules == nil {
		return nil
	}
	done, err := actors.Ask[rulesReloaded](ctx, a.sys, a.rules, reloadRules{})
	if err != nil {
		return unavailable(err)
	}
	return done.err
}

// closeIncidents has the documents of incidents written.
func (a *Agent) closeIncidents(ctx context.Context) {
	if a.incidents != nil {
		ctx, cancel := context.WithTimeout(ctx, 3*incidentsCloseTimeout)
		defer cancel()
		_, _ = actors.Ask[incidentsClosed](ctx, a.sys, a.incidents, closeIncidents{})
	}
}

// noteEvent adds to the timelines of incidents.
func (a *Agent) noteEvent(kind, text string) {
	if a.incidents != nil {
		a.sys.Send(a.incidents, nodeEvent{kind, text})
	}
}

// announce tells proxies that there is a new revision of the incidents.
func (a *Agent) announce(revision messages.IncidentRevision) {
	a.announcer.announce(messages.StreamIncidents, revision)
}
