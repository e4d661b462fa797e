package proxy

import (
	"fodc/messages"
	"fodc/recorder/evidence"
)

// Questions to the actor of incidents, which it answers.
type (
	// listIncidents is answered with []*messages.Incident, the newest first. They are not to be changed.
	listIncidents struct{}
	// getIncident is answered with *messages.Incident or an error.
	getIncident struct{ id string }
	// requestIncident is answered with *messages.Incident or an error.
	requestIncident struct{ order messages.IncidentOrder }
	// actOnIncident is answered with incidentActed or an error.
	actOnIncident struct {
		id     string
		action messages.IncidentAction
	}
	incidentActed struct{}
)

// The last messages of the goroutines of the actor of incidents.
type (
	// incidentsLoaded is what the store has.
	incidentsLoaded struct {
		store  *evidence.Store
		report evidence.Report
		err    error
	}
	// incidentWritten is the result of an operation of the store, and which incidents it has removed to make room.
	incidentWritten struct {
		write   *incidentWrite
		err     error
		evicted []string
	}
	// incidentsCollected is what agents have told of their incidents.
	incidentsCollected struct{ collection *messages.Collection }
	// freezeEnded and actionEnded are the answer of one agent.
	freezeEnded struct {
		ask    freezeAsk
		answer *messages.NodeAnswer
	}
	actionEnded struct {
		action pendingAction
		answer *messages.NodeAnswer
	}
)
