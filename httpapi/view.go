package httpapi

import (
	"context"
	"io"
	"net/http"

	"fodc/httpapi/access"
	"fodc/httpapi/promapi"
	"fodc/messages"
	"fodc/recorder/changes"

	"go.uber.org/zap"
)

// ViewAPI is the HTTP API over incidents that are in a file or a directory. Nothing is changed there.
type ViewAPI struct {
	// List to WriteBundle are as in Incidents.
	List        func(ctx context.Context) ([]*messages.Incident, error)
	Get         func(ctx context.Context, id string) (*messages.Incident, error)
	Changes     func(ctx context.Context, id string) (changes.Report, error)
	OpenFile    func(ctx context.Context, id, path string) (IncidentFile, error)
	WriteBundle func(ctx context.Context, w io.Writer, id string, o BundleOptions) error
	// Queries are as in ProxyAPI.
	Queries []promapi.Route
	Version string
	// Access decides who may ask; nil: all who know a name of this machine.
	Access *access.Gate
	Log    *zap.Logger
}

// Handler returns the handler of all routes.
func (v *ViewAPI) Handler() http.Handler {
	incidents := &Incidents{List: v.List, Get: v.Get, Changes: v.Changes, OpenFile: v.OpenFile, WriteBundle: v.WriteBundle,
		Create: func(context.Context, messages.IncidentOrder) (*messages.Incident, error) { return nil, errOnlyViewed },
		Act: func(_ context.Context, _ string, action messages.IncidentAction) error {
			if action == messages.IncidentSeen {
				return nil // Of that nothing is kept.
			}
			return errOnlyViewed
		}}
	own := append(probeEndpoints("the program", func() bool { return true }),
		incidents.endpoints(v.Log, nil, func(context.Context, []string) ([]string, error) { return nil, nil })...)
	return newRouter("fodc view", withPages(serverView{Program: programView, Version: v.Version}, own), v.Queries, v.Access, v.Log, nil)
}

var errOnlyViewed = messages.Errorf(messages.ErrForbidden, "what is in a file or a directory is only shown: nothing can be changed here")
