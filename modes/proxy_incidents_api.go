package modes

import (
	"context"
	"io"
	"time"

	"fodc/actors/proxy"
	"fodc/httpapi"
	"fodc/messages"
	"fodc/recorder/bundle"
	"fodc/recorder/changes"
)

// incidentsAPI is the HTTP API of the incidents of all nodes; nil: there are none.
func (p *runningProxy) incidentsAPI(c ProxyIncidentsConfig) *httpapi.Incidents {
	if c.off {
		return nil
	}
	before := c.Before
	if before == 0 {
		before = defaultRequestBefore
	}
	return &httpapi.Incidents{
		List: func(ctx context.Context) ([]*messages.Incident, error) { return p.proxy.Incidents(ctx) },
		Get:  func(ctx context.Context, id string) (*messages.Incident, error) { return p.proxy.Incident(ctx, id) },
		Changes: func(ctx context.Context, id string) (changes.Report, error) {
			source, err := p.evidence(ctx, id)
			if err != nil {
				return changes.Report{}, err
			}
			return bundle.Changes(ctx, source)
		},
		OpenFile: func(ctx context.Context, id, path string) (httpapi.IncidentFile, error) {
			return p.proxy.OpenEvidence(ctx, id, path)
		},
		WriteBundle: func(ctx context.Context, w io.Writer, id string, o httpapi.BundleOptions) error {
			source, err := p.evidence(ctx, id)
			if err != nil {
				return err
			}
			return bundle.Write(ctx, w, source, bundle.Options{Nodes: o.Nodes, Lite: o.Lite})
		},
		Create: func(ctx context.Context, o messages.IncidentOrder) (*messages.Incident, error) {
			return p.proxy.RequestIncident(ctx, o)
		},
		Act: func(ctx context.Context, id string, action messages.IncidentAction) error {
			return p.proxy.ActOnIncident(ctx, id, action)
		},
		Before: before, AllowRemoteActions: c.AllowRemoteActions,
	}
}

// defaultRequestBefore is how much of the time before an incident is kept that somebody asks for.
const defaultRequestBefore = 10 * time.Minute

// evidence returns the files of an incident. Opening them ends with ctx.
func (p *runningProxy) evidence(ctx context.Context, id string) (*proxyEvidence, error) {
	doc, err := p.proxy.Incident(ctx, id)
	if err != nil {
		return nil, err
	}
	e := &proxyEvidence{ctx: ctx, proxy: p.proxy, doc: doc}
	if p.storage != nil {
		e.temp = p.storage.dir
	}
	return e, nil
}

// proxyEvidence is an incident of a proxy, as the source of a bundle.
type proxyEvidence struct {
	ctx   context.Context
	proxy *proxy.Proxy
	doc   *messages.Incident
	// temp is where temporary files may be; empty: where the system has them.
	temp string
}

// Incident implements bundle.Source.
func (e *proxyEvidence) Incident() *messages.Incident { return e.doc }

// TempDir is where temporary files may be.
func (e *proxyEvidence) TempDir() string { return e.temp }

// Open implements bundle.Source.
func (e *proxyEvidence) Open(path string) (io.ReadCloser, int64, error) {
	f, err := e.proxy.OpenEvidence(e.ctx, e.doc.ID, path)
	if err != nil {
		return nil, 0, err
	}
	return evidenceReader{io.NewSectionReader(f, 0, f.Size()), f}, f.Size(), nil
}
