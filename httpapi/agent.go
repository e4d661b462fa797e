package httpapi

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"fodc/httpapi/access"
	"fodc/httpapi/exposition"
	"fodc/httpapi/promapi"
	"fodc/messages"

	"go.uber.org/zap"
)

// agentTimeout bounds the wait for the agent's recorder, and for its health.
const agentTimeout = 5 * time.Second

// AgentAPI is the HTTP API of an agent. All fields but Rules, Queries, Incidents and Access are required; those from Read to
// MaxQueryBytes for CollectForQuery alone.
type AgentAPI struct {
	// Latest returns the samples that the recorder has for the selection.
	Latest func(ctx context.Context, s messages.Selection) ([]messages.Block, error)
	Health func(ctx context.Context) (messages.AgentHealth, error)
	// Tree returns at once: it asks no actor.
	Tree func() messages.ActorTree
	// NodeID is the agent's node.
	NodeID string
	// Read returns all that the agent has of a selection. It calls take with the memory of each part,
	// in bytes, and returns an error of it. Identity and Version are what a proxy knows of the node and
	// its agent; Identity may change. MaxQueryBytes bounds the memory that is taken for all queries together.
	Read          func(ctx context.Context, s messages.Selection, take func(bytes int64) error) (messages.NodeAnswer, error)
	Identity      func() messages.Identity
	Version       string
	MaxQueryBytes int64
	// Ready is false while the agent starts or stops.
	Ready func() bool
	Log   *zap.Logger
	// Rules and Queries are as in ProxyAPI.
	Rules   func(ctx context.Context) (messages.RuleGroups, error)
	Queries []promapi.Route
	// Incidents are those of the node; nil: there are no routes of them.
	Incidents *Incidents
	// Access decides who may ask; nil: all may.
	Access *access.Gate

	memory atomic.Int64 // of MaxQueryBytes
	pages  pages
}

// Handler returns the handler of all routes.
func (a *AgentAPI) Handler() http.Handler {
	own := slices.Concat(readEndpoints([]route{
		{"/metrics", "the latest metrics of this node", a.serveMetrics},
		{"/health", "what the agent scrapes, and whom it reports to", a.serveHealth},
		{"/debug/actors", "the actors of the process (?format=text, ?node=NODE_ID)", serveActors(a.Tree, agentTree(a.NodeID))},
	}), probeEndpoints("the agent", a.Ready), a.Incidents.endpoints(a.Log, nil, a.unknownNodes))
	return newRouter("fodc agent", withPages(serverView{Program: programAgent, Version: a.Version, NodeID: a.NodeID}, own), a.Queries, a.Access, a.Log, nil)
}

// unknownNodes returns those of the node ids that are not the agent's.
func (a *AgentAPI) unknownNodes(_ context.Context, ids []string) ([]string, error) {
	own := a.Identity().NodeID
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == own }), nil
}

func (a *AgentAPI) serveMetrics(w http.ResponseWriter, r *http.Request) error {
	p, err := paramsOf(r)
	if err != nil {
		return err
	}
	if _, err := p.choice("format", formatText); err != nil {
		return err
	}
	names, err := p.names()
	if err != nil {
		return err
	}
	defer a.pages.begin()()
	ctx, cancel := context.WithTimeout(r.Context(), agentTimeout)
	defer cancel()
	blocks, err := a.Latest(ctx, messages.Selection{Names: names})
	if err != nil {
		return err
	}
	content, o := textFor(w, r)
	w.Header().Set("Content-Type", content)
	return exposition.WriteNodeText(w, blocks, o)
}

// agentHealthView is the JSON of the agent's /health.
type agentHealthView struct {
	Status string `json:"status"`
	messages.AgentHealth
}

// serveHealth says degraded if a target is down, a proxy is not connected, or the journal is not
// written.
func (a *AgentAPI) serveHealth(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), agentTimeout)
	defer cancel()
	h, err := a.Health(ctx)
	if err != nil {
		return err
	}
	view := agentHealthView{Status: statusHealthy}
	view.Window, view.Telemetry, view.Journal = h.Window, telemetryView(h.Telemetry), journalView(h.Journal)
	view.Crashes, view.Incidents = crashHealthView(h.Crashes), incidentsHealthView(h.Incidents)
	view.Files = h.Files
	view.Targets = append([]messages.TargetHealth{}, h.Targets...)
	view.Proxies = append([]messages.ProxyHealth{}, h.Proxies...)
	view.Events = append([]messages.AgentEvent{}, h.Events...)
	for i := range view.Targets {
		t := &view.Targets[i]
		t.LastScrape = jsonTime(t.LastScrape)
		t.Failures, t.Dropped = orEmpty(t.Failures), orEmpty(t.Dropped)
		if t.LastError != nil {
			e := *t.LastError
			e.At = jsonTime(e.At)
			t.LastError = &e
		}
	}
	for i := range view.Proxies {
		view.Proxies[i].Since = jsonTime(view.Proxies[i].Since)
	}
	for i := range view.Events {
		e := &view.Events[i]
		e.At, e.Last = jsonTime(e.At), jsonTime(e.Last)
	}
	if slices.ContainsFunc(h.Targets, func(t messages.TargetHealth) bool { return !t.Up }) ||
		slices.ContainsFunc(h.Proxies, func(p messages.ProxyHealth) bool { return p.State != messages.LinkConnected }) ||
		h.Journal != nil && !h.Journal.State.IsWritten() {
		view.Status = statusDegraded
	}
	return writeJSON(w, http.StatusOK, view)
}

func telemetryView(t *messages.TelemetryHealth) *messages.TelemetryHealth {
	if t == nil {
		return nil
	}
	view := *t
	view.LastRead = jsonTime(t.LastRead)
	view.Missing = append([]messages.MissingPart{}, t.Missing...)
	if t.Kernel != nil {
		k := *t.Kernel
		k.Programs = append([]messages.KernelProgram{}, k.Programs...)
		view.Kernel = &k
	}
	return &view
}

func crashHealthView(c *messages.CrashHealth) *messages.CrashHealth {
	if c == nil {
		return nil
	}
	view := *c
	view.Sources = append([]messages.CrashSourceHealth{}, c.Sources...)
	return &view
}

func incidentsHealthView(i *messages.IncidentsHealth) *messages.IncidentsHealth {
	if i == nil {
		return nil
	}
	view := *i
	view.Rules.LoadedAt = jsonTime(i.Rules.LoadedAt)
	return &view
}

func journalView(j *messages.JournalHealth) *messages.JournalHealth {
	if j == nil {
		return nil
	}
	view := *j
	view.Since, view.Oldest, view.Newest, view.Dropped = jsonTime(j.Since), jsonTime(j.Oldest), jsonTime(j.Newest), orEmpty(j.Dropped)
	return &view
}

// orEmpty returns an empty map for nil, which JSON would show as null.
func orEmpty[N int | uint64](m map[string]N) map[string]N {
	if m == nil {
		return map[string]N{}
	}
	return m
}
