package modes

import (
	"context"
	"io"
	"time"

	"fodc/actors/agent"
	"fodc/httpapi"
	"fodc/messages"
	"fodc/recorder/bundle"
	"fodc/recorder/changes"
)

// reloadTimeout bounds how long the files of rules may take to be read again.
const reloadTimeout = 30 * time.Second

// incidentsAPI is the HTTP API of the agent's incidents; nil: there are none.
func (a *runningAgent) incidentsAPI(c AgentConfig) *httpapi.Incidents {
	if !c.Incidents.Enabled {
		return nil
	}
	return &httpapi.Incidents{
		List: func(ctx context.Context) ([]*messages.Incident, error) { return a.agent.Incidents(ctx) },
		Get:  func(ctx context.Context, id string) (*messages.Incident, error) { return a.agent.Incident(ctx, id) },
		Changes: func(ctx context.Context, id string) (changes.Report, error) {
			source, err := a.evidence(ctx, id)
			if err != nil {
				return changes.Report{}, err
			}
			return bundle.Changes(ctx, source)
		},
		OpenFile: func(ctx context.Context, id, path string) (httpapi.IncidentFile, error) {
			f, err := a.agent.OpenEvidence(ctx, id, path)
			if err != nil {
				return nil, err // not a nil file in an interface
			}
			return f, nil
		},
		WriteBundle: func(ctx context.Context, w io.Writer, id string, o httpapi.BundleOptions) error {
			source, err := a.evidence(ctx, id)
			if err != nil {
				return err
			}
			return bundle.Write(ctx, w, source, bundle.Options{Nodes: o.Nodes, Lite: o.Lite})
		},
		Create: func(ctx context.Context, o messages.IncidentOrder) (*messages.Incident, error) {
			return a.agent.RequestIncident(ctx, o)
		},
		Act: func(ctx context.Context, id string, action messages.IncidentAction) error {
			return a.agent.ActOnIncident(ctx, id, action)
		},
		Before: c.Incidents.Before, AllowRemoteActions: c.Incidents.AllowRemoteActions,
	}
}

// evidence returns the files of an incident. Opening them ends with ctx.
func (a *runningAgent) evidence(ctx context.Context, id string) (*agentEvidence, error) {
	doc, err := a.agent.Incident(ctx, id)
	if err != nil {
		return nil, err
	}
	e := &agentEvidence{ctx: ctx, agent: a.agent, doc: doc}
	if a.storage != nil {
		e.temp = a.storage.dir
	}
	return e, nil
}

// agentEvidence is an incident of an agent, as the source of a bundle.
type agentEvidence struct {
	ctx   context.Context
	agent *agent.Agent
	doc   *messages.Incident
	// temp is where temporary files may be; empty: where the system has them.
	temp string
}

// Incident implements bundle.Source.
func (e *agentEvidence) Incident() *messages.Incident { return e.doc }

// TempDir is where temporary files may be: in the storage directory, because the directory for temporary files often
// is memory, of which the node may be short.
func (e *agentEvidence) TempDir() string { return e.temp }

// Open implements bundle.Source.
func (e *agentEvidence) Open(path string) (io.ReadCloser, int64, error) {
	f, err := e.agent.OpenEvidence(e.ctx, e.doc.ID, path)
	if err != nil {
		return nil, 0, err
	}
	return evidenceReader{io.NewSectionReader(f, 0, f.Size()), f}, f.Size(), nil
}

// evidenceReader reads a file from its beginning, or anywhere.
type evidenceReader struct {
	*io.SectionReader
	io.Closer
}

// reloadRules has the files of rules read again at SIGHUP.
func (a *runningAgent) reloadRules(c AgentConfig, program Program) {
	if !c.Incidents.Enabled || program.Reload == nil {
		return
	}
	a.removeReload = program.Reload.Add("the alerting rules (--rule-file)", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), reloadTimeout)
		defer cancel()
		return a.agent.ReloadRules(ctx)
	})
}
