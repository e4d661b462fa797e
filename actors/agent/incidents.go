package agent

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/actors/agent/capture"
	"fodc/messages"
	"fodc/recorder"

	"go.uber.org/zap"
)

// Messages to the actor of the incidents.
type (
	// alertsFire says which alerts fire, and what the recorder has noticed if any does.
	alertsFire struct {
		alerts []ruleAlert
		events []recorder.Event
	}
	// processEvent is an event of the node's process that the recorder has, too. processDied is one that opens an incident, or joins
	// the one that is open.
	processEvent struct{ event recorder.Event }
	processDied  struct{ alert ruleAlert }
	// nodeEvent is something for the timelines of incidents.
	nodeEvent struct{ kind, text string }
	// listIncidents is answered with incidentList: of what has changed since a revision, if that is known, else of all.
	listIncidents struct{ known uint64 }
	incidentList  struct {
		docs     []*messages.Incident // newest first
		revision uint64
	}
	// The others are answered with incidentFound.
	getIncident   struct{ id string }
	orderIncident struct{ order messages.IncidentOrder }
	askFreeze     struct{ question messages.FreezeQuestion }
	actOnIncident struct {
		id     string
		action messages.IncidentAction
	}
	incidentFound struct {
		doc   *messages.Incident // nil: it is gone
		store *incidentStore     // nil: it has none yet
		err   error
	}
	// closeIncidents is answered with incidentsClosed when the documents are written, or will not be soon.
	closeIncidents  struct{}
	incidentsClosed struct{}
	// beginIncidents says that all actors of the agent are there: captures ask them.
	beginIncidents struct{}
)

// incidents has the agent's incidents. After a panic it goes on with the same state.
type incidents struct {
	sys   *actors.System
	log   *zap.Logger
	cfg   *IncidentsConfig
	agent *Agent
	state *incidentsState
	shown *atomic.Pointer[incidentsStatus]

	memory, disk *incidentStore // nil: it is not open
	stores       map[string]*incidentStore
	runs         map[string]*incidentRun
	turn         capture.Turn
	storage      failureLog // of the directory
	saving       failureLog // of documents
	clock        time.Time

	due, retry actors.Timer
	ctx        context.Context
	cancel     context.CancelCauseFunc
}

func (i *incidents) Receive(c actors.Context) {
	now := time.Now()
	switch m := c.Message().(type) {
	case *actors.Started:
		i.onStarted()
	case *actors.Stopping, *actors.Restarting:
		i.due.Disarm()
		i.retry.Disarm()
		i.cancel(errStopped)
	case *actors.Stopped:
	case actors.Tick:
		i.onTick(c, m, now)
	case beginIncidents:
		i.onBegin(c)
	case alertsFire:
		i.onAlerts(c, m, now)
	case processEvent:
		i.state.processEvent(&m.event)
	case processDied:
		i.do(c, i.state.happened(m.alert, now), now)
	case nodeEvent:
		i.state.events.add(now, m.kind, m.text)
	case incidentStoreOpened:
		i.onOpened(c, m, now)
	case incidentPrepared:
		i.onPrepared(c, m, now)
	case captureBegun:
		i.state.events.add(now, "capture", "asked for: "+m.path)
	case evidenceCaptured:
		i.do(c, i.state.captured(m.id, m.file, m.missing, now), now)
	case incidentFroze:
		i.onFroze(c, m, now)
	case readTimeline:
		i.onTimeline(c, m)
	case incidentSaved:
		i.onSaved(m, now)
	case incidentsHurried:
		i.onHurried(c, m.asker, now)
	case incidentsEvicted:
		i.do(c, i.state.evicted(m.ids), now)
		maps.DeleteFunc(i.stores, func(id string, _ *incidentStore) bool { return i.state.entries[id] == nil })
	default:
		i.onQuestion(c, now)
	}
}

// onQuestion answers those who ask. Nobody is told of an incident that is not stored yet: it must be there again if the agent
// is killed.
func (i *incidents) onQuestion(c actors.Context, now time.Time) {
	switch c.Message().(type) {
	case listIncidents, getIncident, actOnIncident:
		if !i.state.ready {
			actors.Reply(c, errNotRead)
			return
		}
	}
	switch m := c.Message().(type) {
	case listIncidents:
		docs := slices.DeleteFunc(i.state.since(m.known), func(d *messages.Incident) bool { return i.stores[d.ID] == nil })
		actors.Reply(c, incidentList{docs, i.state.revision})
	case getIncident:
		e := i.state.entries[m.id]
		if e == nil || i.stores[m.id] == nil {
			i.found(c, nil, errNoIncident(m.id))
			return
		}
		i.found(c, i.state.view(e), nil)
	case orderIncident:
		doc, effects, err := i.state.requested(m.order, now)
		i.do(c, effects, now)
		i.begun(c, doc, err)
	case askFreeze:
		doc, effects, err := i.state.freezeAsked(m.question, now)
		i.do(c, effects, now)
		i.begun(c, doc, err)
	case actOnIncident:
		doc, effects, err := i.state.act(m.id, m.action, now)
		i.do(c, effects, now)
		i.found(c, doc, err)
	case closeIncidents:
		i.onClose(c, now)
	default:
		unknownMessage(i.log, m)
	}
}

// begun answers when the incident is stored.
func (i *incidents) begun(c actors.Context, doc *messages.Incident, err error) {
	if doc != nil && i.stores[doc.ID] == nil && i.runs[doc.ID] != nil {
		i.runs[doc.ID].askers = append(i.runs[doc.ID].askers, c.Sender())
		return
	}
	i.found(c, doc, err)
}

func (i *incidents) found(c actors.Context, doc *messages.Incident, err error) {
	m := incidentFound{doc: doc, err: err}
	if doc != nil {
		m.store = i.stores[doc.ID]
	}
	actors.Reply(c, m)
}

func (i *incidents) onStarted() {
	i.ctx, i.cancel = context.WithCancelCause(context.Background())
	i.clock = time.Now()
	i.show()
}

// onBegin looks for the incidents of former processes.
func (i *incidents) onBegin(c actors.Context) {
	if i.cfg.FS == nil {
		i.do(c, i.state.loaded(nil, i.clock), i.clock)
		return
	}
	i.openStore(c)
	i.retry.Arm(c, storePatience)
}

func (i *incidents) openStore(c actors.Context) {
	self := newSender(i.ctx, i.sys, c)
	go func() { self.send(i.openDisk(self.ctx)) }()
}

func (i *incidents) onTick(c actors.Context, m actors.Tick, now time.Time) {
	switch {
	case i.due.Fired(m):
		i.do(c, i.state.due(now), now)
	case i.retry.Fired(m):
		if !i.state.ready { // It goes on without the incidents of former processes, until the disk answers.
			i.do(c, i.state.loaded(nil, now), now)
		} else if i.disk == nil {
			i.openStore(c)
		}
	}
}

func (i *incidents) onAlerts(c actors.Context, m alertsFire, now time.Time) {
	if step := clockStep(i.clock, now); step != 0 {
		i.state.events.add(now, "clock", "the clock was set by "+step.Round(time.Millisecond).String())
	}
	i.clock = now
	if m.events != nil {
		i.state.recorded(m.events)
	}
	i.do(c, i.state.evaluated(m.alerts, now), now)
}

// do carries out the effects, and arms the timer.
func (i *incidents) do(c actors.Context, effects []incidentEffect, now time.Time) {
	self := newSender(i.ctx, i.sys, c)
	for _, e := range effects {
		switch e := e.(type) {
		case openIncident:
			i.begin(c, e.id)
		case freezeIncident:
			i.freeze(c, e.id)
		case saveIncident:
			if store := i.stores[e.id]; store != nil { // Otherwise it is written when it has one.
				store.save(self, e.id, i.state.view(i.state.entries[e.id]))
			}
		case removeIncident:
			if store := i.stores[e.id]; store != nil {
				store.save(self, e.id, nil)
			}
		case keepJournal:
			i.pin()
		case announceIncidents:
			i.agent.announce(messages.IncidentRevision(e.revision))
		case logIncident:
			writeEntry(i.log, e.logEntry)
		}
	}
	if after, any := i.state.nextDue(now); any {
		i.due.Arm(c, after)
	} else {
		i.due.Disarm()
	}
	i.show()
}
