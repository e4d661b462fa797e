package httpapi

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"time"

	"fodc/messages"
)

// clusterTimeout bounds the wait for the registry.
const clusterTimeout = 2 * time.Second

// clusterView is the JSON of /cluster.
type clusterView struct {
	Nodes     []nodeView `json:"nodes"`
	UpdatedAt time.Time  `json:"updated_at"`
}

type nodeView struct {
	NodeID         string                      `json:"node_id"`
	Role           string                      `json:"node_role"`
	PodName        string                      `json:"pod_name"`
	Primary        messages.Address            `json:"primary_address"`
	Secondary      map[string]messages.Address `json:"secondary_addresses"`
	Labels         map[string]string           `json:"labels"`
	ContainerNames []string                    `json:"container_names"`
	Status         messages.Status             `json:"status"`
	AgentID        string                      `json:"agent_id"`
	AgentVersion   string                      `json:"agent_version"`
	RegisteredAt   time.Time                   `json:"registered_at,omitzero"`
	LastHeartbeat  time.Time                   `json:"last_heartbeat,omitzero"`
	LastError      string                      `json:"last_error,omitempty"`
	verifiedView
	// The times are in seconds; nil where they are not known.
	SessionAge  *float64     `json:"session_age_seconds,omitempty"`
	RoundTrip   *float64     `json:"round_trip_seconds,omitempty"`
	ClockOffset *float64     `json:"clock_offset_seconds,omitempty"`
	Runtime     *runtimeView `json:"runtime_metrics,omitempty"`
}

// verifiedView is how an agent has shown who it is. All is absent where agents are not asked for that.
type verifiedView struct {
	Verified        *bool  `json:"verified,omitempty"`
	CertificateName string `json:"certificate_name,omitempty"`
	TokenName       string `json:"token_name,omitempty"`
}

func verifiedOf(v messages.Verified) verifiedView {
	is := !v.IsZero()
	return verifiedView{&is, v.Certificate, v.Token}
}

type runtimeView struct {
	// Load is nil where the agent sent NaN or an infinity, which JSON does not have.
	Load *float64 `json:"load"`
	// Health is empty before the node's first scrape.
	Health string `json:"health"`
}

func (a *ProxyAPI) serveCluster(w http.ResponseWriter, r *http.Request) error {
	p, err := paramsOf(r)
	if err != nil {
		return err
	}
	c, err := a.cluster(r, p)
	if err != nil {
		return err
	}
	view := clusterView{Nodes: make([]nodeView, 0, len(c.Nodes)), UpdatedAt: jsonTime(c.UpdatedAt)}
	for i := range c.Nodes {
		node := viewOf(&c.Nodes[i])
		if c.Verifies {
			node.verifiedView = verifiedOf(c.Nodes[i].Verified)
		}
		view.Nodes = append(view.Nodes, node)
	}
	slices.SortFunc(view.Nodes, func(a, b nodeView) int { return cmp.Compare(a.NodeID, b.NodeID) })
	return writeJSON(w, http.StatusOK, view)
}

func (a *ProxyAPI) cluster(r *http.Request, p params) (messages.Cluster, error) {
	ctx, cancel := context.WithTimeout(r.Context(), clusterTimeout)
	defer cancel()
	return a.Cluster(ctx, p.filter())
}

// viewOf returns the node as JSON shows it. Empty maps and lists are not null.
func viewOf(n *messages.NodeStatus) nodeView {
	v := nodeView{
		NodeID: n.Identity.NodeID, Role: n.Identity.Role, PodName: n.Identity.PodName,
		Primary: n.Primary, Secondary: n.Secondary, Labels: n.Identity.Labels,
		ContainerNames: n.ContainerNames, Status: n.Status,
		AgentID: n.AgentID, AgentVersion: n.AgentVersion,
		RegisteredAt: jsonTime(n.RegisteredAt), LastHeartbeat: jsonTime(n.LastHeartbeat),
		LastError: n.LastError,
	}
	if v.Secondary == nil {
		v.Secondary = map[string]messages.Address{}
	}
	if v.Labels == nil {
		v.Labels = map[string]string{}
	}
	if v.ContainerNames == nil {
		v.ContainerNames = []string{}
	}
	if n.SessionAge != nil {
		v.SessionAge = seconds(*n.SessionAge)
	}
	if n.Timing != nil {
		v.RoundTrip, v.ClockOffset = seconds(n.Timing.RoundTrip), seconds(n.Timing.ClockOffset)
	}
	if n.Runtime != nil {
		v.Runtime = &runtimeView{Health: n.Runtime.Health}
		if load := n.Runtime.Load; !math.IsNaN(load) && !math.IsInf(load, 0) {
			v.Runtime.Load = &load
		}
	}
	return v
}

func seconds(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}

// The values of status in /health.
const (
	statusHealthy  = "healthy"
	statusDegraded = "degraded"
)

// healthView is the JSON of the proxy's /health.
type healthView struct {
	Status string `json:"status"`
	Online int    `json:"agents_online"`
	Total  int    `json:"agents_total"`
	// IncidentsOpen is absent if the proxy keeps no incidents.
	IncidentsOpen *int `json:"incidents_open,omitempty"`
	// Files are those that are read again when they change.
	Files []messages.FileStatus `json:"files,omitempty"`
	// Uptime is in whole seconds.
	Uptime int64 `json:"uptime_seconds"`
	// Error says why the numbers are not known.
	Error string `json:"error,omitempty"`
}

// serveHealth always responds with 200: the proxy itself works. The body tells of the agents.
func (a *ProxyAPI) serveHealth(w http.ResponseWriter, r *http.Request) error {
	view := healthView{Status: statusHealthy}
	c, err := a.cluster(r, lenientParamsOf(r))
	if err != nil {
		view.Error = "the registry of agents does not answer"
		if known := (*messages.Error)(nil); errors.As(err, &known) {
			view.Error = known.Text
		}
	}
	view.Online, view.Total = onlineOf(c), len(c.Nodes)
	view.Uptime = int64(time.Since(a.StartedAt) / time.Second)
	if incidents := a.ProxyCounts().Incidents; incidents != nil {
		view.IncidentsOpen = &incidents.Open
	}
	if a.Files != nil {
		view.Files = a.Files()
	}
	if err != nil || view.Online < view.Total {
		view.Status = statusDegraded
	}
	return writeJSON(w, http.StatusOK, view)
}

func onlineOf(c messages.Cluster) int {
	online := 0
	for i := range c.Nodes {
		if c.Nodes[i].Status == messages.StatusOnline {
			online++
		}
	}
	return online
}
