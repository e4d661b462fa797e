package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"fodc/messages"
)

// maxListedMissing bounds what an incident misses in the list.
const maxListedMissing = 50

// incidentView is an element of the JSON of /incidents.
type incidentView struct {
	ID              string                 `json:"id"`
	Kind            messages.IncidentKind  `json:"kind"`
	State           messages.IncidentState `json:"state"`
	FirstOccurrence time.Time              `json:"first_occurrence"`
	OpenedAt        time.Time              `json:"opened_at"`
	FrozenAt        time.Time              `json:"frozen_at,omitzero"`
	Severity        string                 `json:"severity"`
	Summary         string                 `json:"summary"`
	Reason          string                 `json:"reason,omitempty"`
	Rules           []string               `json:"rules"`
	Nodes           []incidentNodeView     `json:"nodes"`
	Pinned          bool                   `json:"pinned"`
	SeenAt          time.Time              `json:"seen_at,omitzero"`
	Repeated        int                    `json:"repeated,omitempty"`
	Bytes           int64                  `json:"bytes"`
	// Missing has at most maxListedMissing elements; MissingCount counts all.
	Missing      []missingEvidenceView `json:"missing"`
	MissingCount int                   `json:"missing_count"`
}

type incidentNodeView struct {
	NodeID string                 `json:"node_id"`
	Role   string                 `json:"node_role"`
	Kind   messages.IncidentKind  `json:"kind"`
	State  messages.IncidentState `json:"state"`
}

type missingEvidenceView struct {
	NodeID string `json:"node_id"`
	messages.EvidenceMissing
}

// incidentFilter selects incidents. Within a field any value may match; all fields must.
type incidentFilter struct {
	nodes        messages.NodeFilter
	rules        []string
	states       []string
	since, until time.Time
	// limit is how many there are at most; 0: any number.
	limit int
}

var incidentStates = []string{string(messages.IncidentOpen), string(messages.IncidentFrozen), string(messages.IncidentCollected)}

// serveIncidents responds with the list, or opens an incident.
func (i *Incidents) serveIncidents(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodPost {
		return i.create(w, r)
	}
	p, err := paramsOf(r)
	if err != nil {
		return err
	}
	f, err := p.incidentFilter()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), incidentTimeout)
	defer cancel()
	all, err := i.List(ctx)
	if err != nil {
		return err
	}
	return writeIncidents(w, f.apply(all))
}

func (p params) incidentFilter() (incidentFilter, error) {
	f := incidentFilter{nodes: messages.NodeFilter{NodeIDs: p.all("node_id"), Roles: p.all("role")}, rules: p.all("rule"), states: p.all("state")}
	p.notify("state", false, incidentStates...)
	for _, s := range f.states {
		if !slices.Contains(incidentStates, s) {
			return f, messages.Errorf(messages.ErrBadData, "state %q: allowed are %s", truncated(s), strings.Join(incidentStates, ", "))
		}
	}
	var err error
	if f.since, err = p.time("since"); err != nil {
		return f, err
	}
	if f.until, err = p.time("until"); err != nil {
		return f, err
	}
	if !f.since.IsZero() && !f.until.IsZero() && f.since.After(f.until) {
		return f, messages.Errorf(messages.ErrBadData, "since %s is after until %s", f.since.Format(time.RFC3339Nano), f.until.Format(time.RFC3339Nano))
	}
	text, err := p.one("limit")
	if err != nil || text == "" {
		return f, err
	}
	if f.limit, err = strconv.Atoi(text); err != nil || f.limit < 1 {
		return f, messages.Errorf(messages.ErrBadData, "limit %q: a whole number from 1 up is allowed", truncated(text))
	}
	return f, nil
}

// time returns the value of a parameter that is a time; the zero time if it is absent.
func (p params) time(name string) (time.Time, error) {
	text, err := p.one(name)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	at, err := messages.ParseTime(text)
	if err != nil {
		return at, messages.Errorf(messages.ErrBadData, "%s %q: %v", name, truncated(text), err)
	}
	return at, nil
}

// apply returns the incidents that the filter selects, the newest first.
func (f *incidentFilter) apply(all []*messages.Incident) []*messages.Incident {
	all = slices.DeleteFunc(slices.Clone(all), func(i *messages.Incident) bool { return !f.selects(i) })
	slices.SortFunc(all, func(a, b *messages.Incident) int {
		return cmp.Or(b.FirstOccurrence.Compare(a.FirstOccurrence), cmp.Compare(b.ID, a.ID))
	})
	if f.limit > 0 && len(all) > f.limit {
		all = all[:f.limit]
	}
	return all
}

func (f *incidentFilter) selects(i *messages.Incident) bool {
	at := i.FirstOccurrence
	return (len(f.states) == 0 || slices.Contains(f.states, string(i.State))) &&
		(f.since.IsZero() || !at.Before(f.since)) && (f.until.IsZero() || !at.After(f.until)) &&
		(len(f.rules) == 0 || slices.ContainsFunc(i.Rules, func(r messages.IncidentAlert) bool { return slices.Contains(f.rules, r.Rule) })) &&
		(len(f.nodes.NodeIDs)+len(f.nodes.Roles) == 0 || slices.ContainsFunc(i.Nodes, func(n messages.IncidentNode) bool {
			return f.nodes.Selects(&messages.Identity{NodeID: n.NodeID, Role: n.Role})
		}))
}

// writeIncidents encodes one incident at a time.
func writeIncidents(w http.ResponseWriter, all []*messages.Incident) error {
	w.Header().Set("Content-Type", contentJSON)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	separator := "["
	for _, one := range all {
		if _, err := w.Write([]byte(separator)); err != nil {
			return fmt.Errorf("write the response: %w", err)
		}
		if err := e.Encode(incidentViewOf(one)); err != nil {
			return fmt.Errorf("write the incident %s: %w", one.ID, err)
		}
		separator = ","
	}
	if len(all) == 0 {
		separator = "[]\n"
	} else {
		separator = "]\n"
	}
	if _, err := w.Write([]byte(separator)); err != nil {
		return fmt.Errorf("write the response: %w", err)
	}
	return nil
}

func incidentViewOf(i *messages.Incident) incidentView {
	v := incidentView{ID: i.ID, Kind: i.Kind, State: i.State, FirstOccurrence: jsonTime(i.FirstOccurrence), OpenedAt: jsonTime(i.OpenedAt),
		FrozenAt: jsonTime(i.FrozenAt), Severity: i.Severity, Summary: i.Summary, Reason: i.Reason, Rules: []string{}, Nodes: []incidentNodeView{},
		Pinned: i.Pinned, SeenAt: jsonTime(i.SeenAt), Repeated: i.Repeated, Bytes: i.Bytes(), Missing: []missingEvidenceView{}}
	for _, r := range i.Rules {
		if !slices.Contains(v.Rules, r.Rule) {
			v.Rules = append(v.Rules, r.Rule)
		}
	}
	for _, n := range i.Nodes {
		v.Nodes = append(v.Nodes, incidentNodeView{n.NodeID, n.Role, n.Kind, n.State})
		v.MissingCount += len(n.Missing)
		for _, m := range n.Missing[:min(len(n.Missing), maxListedMissing-len(v.Missing))] {
			v.Missing = append(v.Missing, missingEvidenceView{n.NodeID, m})
		}
	}
	return v
}
