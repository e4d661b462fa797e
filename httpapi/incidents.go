package httpapi

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fodc/messages"
	"fodc/recorder/changes"

	"go.uber.org/zap"
)

// Incidents is what the routes of incidents need of the rest of the process: of a proxy those of the
// cluster, of an agent its own. All functions are required. They return an error of the kind not
// found for an incident that is not there.
type Incidents struct {
	// List returns all incidents, in any order.
	List func(ctx context.Context) ([]*messages.Incident, error)
	Get  func(ctx context.Context, id string) (*messages.Incident, error)
	// Changes returns what has changed in the time of an incident.
	Changes func(ctx context.Context, id string) (changes.Report, error)
	// OpenFile opens a file of the evidence. Reading it ends with the context.
	OpenFile func(ctx context.Context, id, path string) (IncidentFile, error)
	// WriteBundle writes a .tar.gz of an incident. Its error ends what was begun.
	WriteBundle func(ctx context.Context, w io.Writer, id string, o BundleOptions) error
	// Create opens an incident because somebody has asked for it.
	Create func(ctx context.Context, o messages.IncidentOrder) (*messages.Incident, error)
	// Act returns messages.ErrIncidentOpen for what cannot be done while the incident is open.
	Act func(ctx context.Context, id string, action messages.IncidentAction) error
	// Before is how much time before an order is evidence, where the order does not say it.
	Before time.Duration
	// AllowRemoteActions lets other machines change something, too.
	AllowRemoteActions bool

	// unknownNodes returns those of the node ids that nobody knows.
	unknownNodes func(ctx context.Context, ids []string) ([]string, error)
	// prefix is that of the path at which clients see the server.
	prefix string
	// log has a limit on how many lines it writes.
	log    *zap.Logger
	limits incidentLimits
}

// IncidentFile is an open file of the evidence.
type IncidentFile interface {
	io.ReaderAt
	io.Closer
	// Size is in bytes.
	Size() int64
}

// BundleOptions says what is in a bundle.
type BundleOptions struct {
	// Nodes are node ids; none = all.
	Nodes []string
	// Lite leaves out profiles, and the metrics that have not changed.
	Lite bool
}

const (
	// incidentTimeout bounds the wait for incidents, actionTimeout that for what changes one.
	incidentTimeout = 5 * time.Second
	actionTimeout   = 15 * time.Second
	// seenTimeout bounds the wait for an incident to be marked as seen.
	seenTimeout = time.Second
	// changesTimeout bounds the time to find what has changed.
	changesTimeout = time.Minute
	// incidentIDParam and evidencePathParam are parts of paths of routes.
	incidentIDParam, evidencePathParam = "{incident_id}", "{path}"
)

// endpoints returns the routes. With nil there are none.
func (i *Incidents) endpoints(log *zap.Logger, external *url.URL, unknownNodes func(context.Context, []string) ([]string, error)) []endpoint {
	if i == nil {
		return nil
	}
	i.unknownNodes, i.log, i.limits = unknownNodes, limited(log, errorLines), newIncidentLimits()
	if external != nil {
		i.prefix = strings.TrimRight(external.Path, "/")
	}
	one := "/incidents/" + incidentIDParam
	return []endpoint{
		{route: route{"/incidents", "what has gone wrong, the newest first; POST keeps the evidence of this moment", i.serveIncidents}, methods: methodsOf(http.MethodPost)},
		{route: route{one, "one incident: its timeline, and each file of the evidence; DELETE removes it", i.serveIncident}, methods: methodsOf(http.MethodDelete)},
		{route: route{one + "/changes", "what has left its usual course, the first one first", i.serveChanges}, methods: readMethods},
		{route: route{one + "/files/" + evidencePathParam, "one file of the evidence", i.serveFile}, methods: readMethods},
		{route: route{one + "/bundle", "all of the evidence as one .tar.gz (?lite=1: a small one, ?nodes=NODE_ID)", i.serveBundle}, methods: readMethods},
		{route: route{one + "/pin", "PUT keeps the incident for good, DELETE lets it go", i.servePin}, methods: []string{http.MethodPut, http.MethodDelete}},
	}
}

// methodsOf returns those that read, and one more.
func methodsOf(more string) []string { return append(append([]string{}, readMethods...), more) }

// incidentID returns the id in the path of a request.
func incidentID(r *http.Request) (string, error) {
	text := r.PathValue("incident_id")
	id := strings.ToUpper(text)
	if !messages.ValidIncidentID(id) {
		return "", messages.Errorf(messages.ErrBadData, "incident id %q: not a ULID, which is 26 digits and letters; /incidents lists those there are", truncated(text))
	}
	return id, nil
}

// get returns the incident of a request.
func (i *Incidents) get(r *http.Request) (*messages.Incident, error) {
	id, err := incidentID(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), incidentTimeout)
	defer cancel()
	return i.Get(ctx, id)
}

// serveIncident responds with the document of an incident, or removes it.
func (i *Incidents) serveIncident(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodDelete {
		return i.act(w, r, messages.IncidentDelete)
	}
	incident, err := i.get(r)
	if err != nil {
		return err
	}
	release, err := i.limits.take(incident.MemoryBytes())
	if err != nil {
		return err
	}
	defer release()
	i.seen(r, incident)
	body, err := messages.EncodeIncident(incident)
	if err != nil {
		return err
	}
	return writeBody(w, http.StatusOK, contentJSON, body)
}

// seen marks an incident as seen, unless it is already. What comes of it is of no matter to the request.
func (i *Incidents) seen(r *http.Request, incident *messages.Incident) {
	if !incident.SeenAt.IsZero() || r.Method != http.MethodGet {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), seenTimeout)
	defer cancel()
	if err := i.Act(ctx, incident.ID, messages.IncidentSeen); err != nil {
		i.log.Debug("an incident cannot be marked as seen", zap.String("incident", incident.ID), zap.Error(err))
	}
}
