package agent

import (
	"context"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
)

// startRecorder spawns the recorder, and the journal if there is to be one.
func (a *Agent) startRecorder(cfg Config) {
	limits := recorder.Limits{Bytes: cfg.MemoryBudget, SampleLabels: cfg.Limits.SampleLabels, LabelBytes: cfg.Limits.LabelBytes}
	var kept *recorderJournal
	if cfg.Journal != nil {
		j := *cfg.Journal
		j.Config.Node = journalNode(a.identity.registration())
		j.Config.CurrentNode = func() journal.Node { return journalNode(a.identity.registration()) }
		a.journal = a.sys.Spawn("journal", actors.ResumeOnFailure(), func() actors.Actor {
			return newJournalKeeper(a.sys, &j, limits)
		})
		kept = &recorderJournal{keeper: a.journal, disk: j.FS}
	}
	a.recorder = a.sys.Spawn("recorder", actors.ResumeOnFailure(), func() actors.Actor {
		return newFlightRecorder(a.sys.Log(), limits, kept)
	})
	a.sys.Send(a.journal, openJournal{a.recorder})
}

// journalNode is what the journal's segments say of the node.
func journalNode(r messages.Registration) journal.Node {
	return journal.Node{NodeID: r.NodeID, Role: r.Role, PodName: r.PodName, Labels: r.Labels, AgentVersion: r.AgentVersion}
}

// awaitWritten waits until a scrape is in the journal, unless that will not be soon: see
// journalState.isWaitOver.
func (a *Agent) awaitWritten(ctx context.Context, number int64) {
	if a.journal != nil {
		_, _ = actors.Ask[journalWaitOver](ctx, a.sys, a.journal, awaitWritten{number})
	}
}
