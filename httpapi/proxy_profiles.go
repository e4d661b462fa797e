package httpapi

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"fodc/messages"
)

// profileView is an element of the JSON of /pressure-profiles.
type profileView struct {
	CapturedAt     time.Time         `json:"captured_at,omitzero"`
	AgentID        string            `json:"agent_id"`
	PodName        string            `json:"pod_name"`
	NodeID         string            `json:"node_id"`
	Role           string            `json:"role"`
	ProfileID      string            `json:"profile_id"`
	SourceEndpoint string            `json:"source_endpoint"`
	Files          []profileFileView `json:"profiles"`
	RSSBytes       uint64            `json:"rss_bytes"`
	LimitBytes     uint64            `json:"cgroup_limit_bytes"`
	ThresholdBytes uint64            `json:"threshold_bytes"`
	TriggerPercent uint32            `json:"trigger_percent"`
}

type profileFileView struct {
	Type      string `json:"type"`
	Filename  string `json:"filename"`
	Path      string `json:"filepath"`
	Format    string `json:"format"`
	SizeBytes int64  `json:"size_bytes"`
}

// serveProfiles responds with the profiles that agents have, the newest first.
func (a *ProxyAPI) serveProfiles(w http.ResponseWriter, r *http.Request) error {
	c, release, err := a.collectParts(w, r, messages.ProfilesQuestion{})
	if err != nil {
		return err
	}
	defer release()
	views := []profileView{}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		for _, p := range partsOf[*messages.PressureProfile](n) {
			views = append(views, profileViewOf(n, p))
		}
	}
	slices.SortFunc(views, func(a, b profileView) int {
		return cmp.Or(b.CapturedAt.Compare(a.CapturedAt), cmp.Compare(a.NodeID, b.NodeID), cmp.Compare(b.ProfileID, a.ProfileID))
	})
	return writeJSON(w, http.StatusOK, views)
}

func profileViewOf(n *messages.NodeAnswer, p *messages.PressureProfile) profileView {
	v := profileView{CapturedAt: jsonTime(p.CapturedAt), AgentID: n.AgentID, PodName: n.Identity.PodName, NodeID: n.Identity.NodeID, Role: n.Identity.Role,
		ProfileID: p.ID, SourceEndpoint: p.SourceEndpoint, Files: []profileFileView{}, RSSBytes: p.RSSBytes, LimitBytes: p.LimitBytes,
		ThresholdBytes: p.ThresholdBytes, TriggerPercent: p.TriggerPercent}
	for _, f := range p.Files {
		v.Files = append(v.Files, profileFileView(f))
	}
	return v
}
