package proxy

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"
)

// Crashes asks the agents of the nodes that the filter selects for new crash records until the deadline,
// and returns those records that are known then, also of nodes that are gone. The error is that of
// Collect.
func (p *Proxy) Crashes(ctx context.Context, f messages.NodeFilter, deadline time.Time) (messages.CrashList, error) {
	question, err := actors.Ask[messages.CrashQuestion](ctx, p.sys, p.crashes, askCrashes{})
	if err != nil {
		return messages.CrashList{}, unavailableIfGone(err)
	}
	c, err := p.Collect(ctx, messages.Query{Filter: f, Question: question, Deadline: deadline})
	if err != nil {
		return messages.CrashList{}, err
	}
	p.sys.Send(p.crashes, crashAnswers{c})
	records, err := actors.Ask[[]messages.KnownCrash](ctx, p.sys, p.crashes, listCrashes{f})
	if err != nil {
		return messages.CrashList{}, unavailableIfGone(err)
	}
	list := messages.CrashList{Crashes: records, Asked: messages.Collection{Nodes: make([]messages.NodeAnswer, len(c.Nodes))}}
	for i := range c.Nodes { // The collection may be shared.
		list.Asked.Nodes[i] = c.Nodes[i]
		list.Asked.Nodes[i].Parts = nil
	}
	return list, nil
}

// startCrashes spawns the actor of crash records. It asks the collector once that is known.
func (p *Proxy) startCrashes(cfg Config, how actors.OnFailure, collector *atomic.Pointer[actors.PID]) *actors.PID {
	p.crashes = p.sys.Spawn("crashes", how, func() actors.Actor {
		return &crashes{sys: p.sys, log: p.sys.Log().Named("crashes"), collector: collector, store: cfg.Crashes, ids: &p.requestIDs,
			interval: cfg.CrashInterval, counters: cfg.counters, peers: cfg.peers}
	})
	return p.crashes
}

func (p *Proxy) startSchemas(interval time.Duration, how actors.OnFailure) {
	p.schemas = p.sys.Spawn("schemas", how, func() actors.Actor {
		return &schemas{sys: p.sys, log: p.sys.Log().Named("schemas"), collector: p.collector, ids: &p.requestIDs, interval: interval, result: &p.consistency}
	})
}

// stopKeepers stops the actors that ask agents by themselves.
func (p *Proxy) stopKeepers(ctx context.Context) error {
	err := errors.Join(p.sys.Stop(ctx, p.schemas), p.sys.Stop(ctx, p.crashes))
	for _, pid := range []*actors.PID{p.incidents, p.evidence, p.keepLast} {
		if pid != nil {
			err = errors.Join(err, p.sys.Stop(ctx, pid))
		}
	}
	if p.alertmanager != nil {
		err = errors.Join(err, p.sys.Stop(ctx, p.alertmanager))
	}
	return err
}

// Consistency returns what is known of the schema of groups, by their names. It asks no actor, and never
// blocks.
func (p *Proxy) Consistency() map[string]*messages.SchemaConsistency {
	if known := p.consistency.Load(); known != nil {
		return *known
	}
	return nil
}
