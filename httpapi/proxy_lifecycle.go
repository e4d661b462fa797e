package httpapi

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"fodc/messages"
)

// maxReportBytes bounds the text of a report that comes in parts: it is what an agent reads of one.
const maxReportBytes = 1 << 20

// lifecycleView is the JSON of /cluster/lifecycle.
type lifecycleView struct {
	Groups   []groupView           `json:"groups"`
	Statuses []lifecycleStatusView `json:"lifecycle_statuses"`
	Summary  summaryView           `json:"agent_summary"`
	// Error says why nothing is known; absent if an agent has answered.
	Error string `json:"error,omitempty"`
}

type lifecycleStatusView struct {
	PodName string       `json:"pod_name"`
	Reports []reportView `json:"reports"`
}

type reportView struct {
	Filename string `json:"filename"`
	JSON     string `json:"report_json"`
}

// summaryView counts agents: all that are registered, those that were asked, and of these those
// that answered, and that did not.
type summaryView struct {
	Total        int `json:"total"`
	Requested    int `json:"requested"`
	Responded    int `json:"responded"`
	NotResponded int `json:"not_responded"`
}

// serveLifecycle responds with what became of the database's groups. Its status is 200 even if nobody
// has answered: clients of the field expect that, and find the error in the body.
func (a *ProxyAPI) serveLifecycle(w http.ResponseWriter, r *http.Request) error {
	c, release, err := a.collectParts(w, r, messages.LifecycleQuestion{})
	if err != nil {
		failure := httpErrorOf(err, r, w.Header().Get(headerRequestID))
		if failure.internal || failure.status == http.StatusBadRequest || failure.status == statusClientGone {
			return err
		}
		return writeJSON(w, http.StatusOK, lifecycleView{Groups: []groupView{}, Statuses: []lifecycleStatusView{}, Error: failure.text})
	}
	defer release()
	var judged map[string]*messages.SchemaConsistency
	if a.Consistency != nil {
		judged = a.Consistency()
	}
	return writeJSON(w, http.StatusOK, lifecycleOf(c, judged))
}

// lifecycleOf merges the answers. judged is what the proxy itself has found of groups.
func lifecycleOf(c *messages.Collection, judged map[string]*messages.SchemaConsistency) lifecycleView {
	v := lifecycleView{Groups: []groupView{}, Statuses: []lifecycleStatusView{}}
	groups := map[string]*mergedGroup{}
	v.Summary.Total = len(c.Nodes)
	for i := range c.Nodes {
		n := &c.Nodes[i]
		switch n.Missing {
		case messages.MissingNone:
			v.Summary.Requested++
			v.Summary.Responded++
		case messages.MissingUnserved, messages.MissingUnconnected:
		default:
			v.Summary.Requested++
			v.Summary.NotResponded++
		}
		l := messages.JoinLifecycle(n.Parts, maxReportBytes)
		for j := range l.Groups {
			mergeGroup(groups, &l.Groups[j])
		}
		if len(l.Reports) > 0 {
			status := lifecycleStatusView{PodName: n.Identity.PodName} // the one in the answer may be that of another node
			for _, r := range l.Reports {
				status.Reports = append(status.Reports, reportView{r.Filename, r.JSON})
			}
			v.Statuses = append(v.Statuses, status)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		g := groups[name].view(name)
		if found := judged[name]; found != nil {
			g.Consistency = consistencyOf(found)
		}
		v.Groups = append(v.Groups, g)
	}
	slices.SortStableFunc(v.Statuses, func(a, b lifecycleStatusView) int { return cmp.Compare(a.PodName, b.PodName) })
	if v.Summary.Responded == 0 {
		v.Error = whyNobody(c)
	}
	return v
}

// whyNobody says why no agent has answered.
func whyNobody(c *messages.Collection) string {
	if len(c.Nodes) == 0 {
		return "no node is registered that the request selects"
	}
	if missing, count := missingOf(c); count > 0 {
		return "no agent has answered: " + missing
	}
	return "no agent serves lifecycle data"
}
