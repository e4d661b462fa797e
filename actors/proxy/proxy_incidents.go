package proxy

import (
	"context"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"
)

// Incidents returns all incidents, the newest first. They are not to be changed. Without incidents in the
// configuration there are none.
func (p *Proxy) Incidents(ctx context.Context) ([]*messages.Incident, error) {
	if p.incidents == nil {
		return nil, nil
	}
	list, err := actors.Ask[[]*messages.Incident](ctx, p.sys, p.incidents, listIncidents{})
	return list, unavailableIfGone(err)
}

// Incident returns one, which is not to be changed. The error is of the kind not found if it is not there.
func (p *Proxy) Incident(ctx context.Context, id string) (*messages.Incident, error) {
	if p.incidents == nil {
		return nil, errNoIncident(id)
	}
	doc, err := actors.Ask[*messages.Incident](ctx, p.sys, p.incidents, getIncident{id})
	return doc, unavailableIfGone(err)
}

// RequestIncident opens one because somebody wants it. The evidence comes later: see its State.
func (p *Proxy) RequestIncident(ctx context.Context, o messages.IncidentOrder) (*messages.Incident, error) {
	if p.incidents == nil {
		return nil, messages.Errorf(messages.ErrUnavailable, "the proxy keeps no incidents")
	}
	doc, err := actors.Ask[*messages.Incident](ctx, p.sys, p.incidents, requestIncident{o})
	return doc, unavailableIfGone(err)
}

// ActOnIncident does something to an incident, and has its agents do the same. It returns
// messages.ErrIncidentOpen for what cannot be done while the incident is open.
func (p *Proxy) ActOnIncident(ctx context.Context, id string, action messages.IncidentAction) error {
	if p.incidents == nil {
		return errNoIncident(id)
	}
	_, err := actors.Ask[incidentActed](ctx, p.sys, p.incidents, actOnIncident{id, action})
	return unavailableIfGone(err)
}

// startIncidents spawns the actor of incidents. It asks the registry and the collector once those are known.
func (p *Proxy) startIncidents(cfg Config, registry, collector *atomic.Pointer[actors.PID]) *actors.PID {
	if cfg.Incidents == nil {
		return nil
	}
	p.incidents = p.sys.Spawn("clusterincidents", actors.ResumeOnFailure(), func() actors.Actor {
		return newIncidents(p.sys, cfg, registry, collector, &p.requestIDs, p.openedEvidence, p.alertmanager)
	})
	return p.incidents
}

// Rules returns the proxy's own rules, and what fires in the incidents that are open. Without incidents in the configuration there
// are none.
func (p *Proxy) Rules(ctx context.Context) (messages.RuleGroups, error) {
	list, err := p.Incidents(ctx)
	if err != nil || p.incidents == nil {
		return messages.RuleGroups{}, err
	}
	var lookedAt time.Time
	if c := p.Counts().Incidents; c != nil {
		lookedAt = c.LookedAt
	}
	return shownRules(list, lookedAt), nil
}
