package httpapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"fodc/messages"
)

// crashView is an element of the JSON of /diagnostics.
type crashView struct {
	FetchedAt time.Time `json:"fetched_at,omitzero"`
	Panic     panicView `json:"panic_record"`
	// AgentID is the public id of the session that has sent the record.
	AgentID        string   `json:"agent_id"`
	PodName        string   `json:"pod_name"`
	NodeID         string   `json:"node_id"`
	Role           string   `json:"role"`
	SourceEndpoint string   `json:"source_endpoint"`
	ArtifactDir    string   `json:"artifact_dir"`
	Files          []string `json:"files"`
}

type panicView struct {
	OccurredAt      time.Time         `json:"occurred_at,omitzero"`
	Component       string            `json:"component"`
	PanicValue      string            `json:"panic_value"`
	Recovered       bool              `json:"recovered"`
	GoroutineStack  string            `json:"goroutine_stack"`
	Breadcrumbs     []breadcrumbView  `json:"breadcrumbs"`
	ProcessMetadata map[string]string `json:"process_metadata"`
}

type breadcrumbView struct {
	Time      time.Time         `json:"time,omitzero"`
	Stage     string            `json:"stage"`
	Component string            `json:"component"`
	Fields    map[string]string `json:"fields"`
}

// serveDiagnostics responds with all crash records, those of nodes that are gone included; the newest
// first. The headers name the nodes that could not be asked for newer ones.
func (a *ProxyAPI) serveDiagnostics(w http.ResponseWriter, r *http.Request) error {
	p, err := paramsOf(r)
	if err != nil {
		return err
	}
	strict, err := p.flag("strict")
	if err != nil {
		return err
	}
	deadline := time.Now().Add(budget(r, a.CollectTimeout))
	ctx, cancel := context.WithDeadline(r.Context(), deadline.Add(collectGrace))
	defer cancel()
	list, err := a.Crashes(ctx, p.filter(), deadline)
	if err != nil {
		return err
	}
	if lack := setReasons(w.Header(), &list.Asked); lack != "" && strict {
		return messages.Errorf(messages.ErrUnavailable, "%s", lack)
	}
	bytes := 0
	for i := range list.Crashes {
		bytes += list.Crashes[i].MemoryBytes()
	}
	release, err := a.inFlight.acquireBytes(&list.Asked, bytes, a.MaxInFlightBytes)
	if err != nil {
		return err
	}
	defer release()
	views := make([]crashView, 0, len(list.Crashes))
	for i := range list.Crashes {
		views = append(views, crashViewOf(&list.Crashes[i]))
	}
	slices.SortFunc(views, func(a, b crashView) int {
		return cmp.Or(b.Panic.OccurredAt.Compare(a.Panic.OccurredAt), cmp.Compare(a.NodeID, b.NodeID), cmp.Compare(a.ArtifactDir, b.ArtifactDir))
	})
	return writeJSON(w, http.StatusOK, views)
}

func crashViewOf(c *messages.KnownCrash) crashView {
	p := &c.Panic
	v := crashView{FetchedAt: jsonTime(c.FetchedAt), AgentID: c.AgentID, PodName: c.Identity.PodName, NodeID: c.Identity.NodeID, Role: c.Identity.Role,
		SourceEndpoint: c.SourceEndpoint, ArtifactDir: c.ArtifactDir, Files: listOf(c.Files),
		Panic: panicView{OccurredAt: jsonTime(p.OccurredAt), Component: p.Component, PanicValue: p.PanicValue, Recovered: p.Recovered,
			GoroutineStack: p.GoroutineStack, Breadcrumbs: []breadcrumbView{}, ProcessMetadata: mapOf(p.ProcessMetadata)}}
	for i := range p.Breadcrumbs {
		b := &p.Breadcrumbs[i]
		v.Panic.Breadcrumbs = append(v.Panic.Breadcrumbs, breadcrumbView{jsonTime(b.Time), b.Stage, b.Component, mapOf(b.Fields)})
	}
	return v
}

// mapOf returns the map, which JSON shows as {} if it has no entries.
func mapOf(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
