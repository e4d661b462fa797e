package proxy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// Limits of what is taken of one incident of an agent.
const (
	maxReportAlerts  = 50
	maxReportEvents  = 300
	maxReportFiles   = 200
	maxReportMissing = 50
	maxReportText    = 512
	maxReportLabels  = 16
	// maxAgentIncidents is how many incidents of an agent are looked at, the newest ones.
	maxAgentIncidents = 200
)

// agentReport is what an agent has told of its incidents.
type agentReport struct {
	identity messages.Identity
	agentID  string
	records  []*messages.Incident
	// revision is that of all records; 0: they are not all of them.
	revision uint64
}

// report is an incident of an agent as the proxy takes it: within its limits, and by the proxy's clock.
type report struct {
	id       string // the agent's
	kind     messages.IncidentKind
	node     messages.IncidentNode // without Files and Missing
	opened   time.Time             // by the clock of the node
	first    time.Time
	last     time.Time // when a rule fired last
	from, to time.Time
	open     bool
	firing   bool
	summary  string
	alerts   []messages.IncidentAlert
	events   []messages.IncidentEvent
	files    []messages.EvidenceFile
	missing  []messages.EvidenceMissing
	repeated int
}

// agentOf returns what is known of the agent of a node.
func (s *incidentsState) agentOf(id messages.Identity) *incidentAgent {
	a := s.agents[id.NodeID]
	if a == nil {
		a = &incidentAgent{}
		s.agents[id.NodeID] = a
	}
	a.identity = id
	return a
}

// attached records that an agent has opened its stream of incidents.
func (s *incidentsState) attached(id messages.Identity, agentID string, offset time.Duration, now time.Time) {
	a := s.agentOf(id)
	if a.agentID != agentID {
		a.known = 0
	}
	a.agentID, a.online, a.attached, a.wanted, a.offset = agentID, true, true, true, offset
	for _, e := range s.entries {
		if p := e.parts[id.NodeID]; p != nil && e.doc.State != messages.IncidentCollected {
			p.freeze.again(now)
			p.fetch.again(now)
		}
	}
}

// changed records that an agent has something new to tell.
func (s *incidentsState) changed(id messages.Identity, agentID string, offset time.Duration, revision uint64) {
	a := s.agentOf(id)
	if a.agentID != agentID || a.known != revision {
		a.wanted = true
	}
	a.offset = offset
}

// reported takes the incidents of an agent.
func (s *incidentsState) reported(r agentReport, now time.Time) {
	a := s.agentOf(r.identity)
	if r.agentID == a.agentID {
		a.known = cmp.Or(r.revision, a.known)
	}
	records := slices.SortedFunc(slices.Values(r.records), func(x, y *messages.Incident) int {
		return cmp.Or(y.FirstOccurrence.Compare(x.FirstOccurrence), cmp.Compare(x.ID, y.ID))
	})
	records = records[:min(len(records), maxAgentIncidents)]
	slices.Reverse(records) // The oldest first, as the first one is the one to be kept longest.
	for _, record := range records {
		offset := a.offset
		if e := s.entries[s.index[partKey{r.identity.NodeID, record.ID}]]; e != nil { // Its times do not move.
			offset = offsetOf(nodeOf(e.doc, r.identity.NodeID))
		}
		s.take(newReport(record, r.identity, r.agentID, offset, now), now)
	}
}

// offsetOf returns what was added to the times of a node.
func offsetOf(n *messages.IncidentNode) time.Duration {
	return -time.Duration(n.ClockOffsetSeconds * float64(time.Second))
}

func (s *incidentsState) take(r *report, now time.Time) {
	key := partKey{r.node.NodeID, r.id}
	e := s.entries[s.index[key]]
	if e == nil && r.kind != messages.IncidentRule && s.entries[r.id] != nil {
		e = s.entries[r.id] // It keeps its evidence because the proxy has asked for that.
	}
	switch {
	case e != nil:
		s.update(e, r, now)
	case s.gone[key] || r.kind != messages.IncidentRule:
		// Somebody has asked for it who is not this proxy, or it was removed here.
	default:
		s.place(r, now)
	}
}

// newReport reads an incident of an agent. Who the node is the registry says, not the agent.
func newReport(i *messages.Incident, id messages.Identity, agentID string, offset time.Duration, now time.Time) *report {
	at := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		if t = documentTime(t.Add(offset)); t.After(now) {
			return documentTime(now)
		}
		return t
	}
	r := &report{id: i.ID, kind: i.Kind, open: i.State == messages.IncidentOpen, summary: shortened(i.Summary), repeated: min(i.Repeated, 1e6), opened: i.OpenedAt,
		first: at(i.FirstOccurrence)}
	if r.first.IsZero() {
		r.first = documentTime(now)
	}
	latest := r.first.Add(maxIncidentSpan)
	r.last = within(at(i.LastFiring), r.first, latest)
	r.from = within(at(i.From), r.first.Add(-maxIncidentSpan), r.first)
	if !r.open {
		r.to = within(at(i.To), r.last, latest.Add(maxIncidentSpan))
	}
	r.node = messages.IncidentNode{NodeID: id.NodeID, Role: id.Role, PodName: id.PodName, Labels: fewLabels(id.Labels), AgentID: agentID, IncidentID: i.ID,
		Kind: i.Kind, State: messages.IncidentOpen, ClockOffsetSeconds: -offset.Seconds(), From: r.from, To: r.to, Dir: messages.EvidenceDir(id.NodeID)}
	for n := range i.Rules[:min(len(i.Rules), maxReportAlerts)] {
		if a := &i.Rules[n]; !isProxyRule(a.Rule) {
			r.alerts = append(r.alerts, messages.IncidentAlert{Rule: shortened(a.Rule), NodeID: id.NodeID, Severity: shortened(a.Severity), Summary: shortened(a.Summary),
				Description: a.Description, Labels: fewLabels(a.Labels), FirstOccurrence: within(at(a.FirstOccurrence), r.first, latest),
				LastFiring: within(at(a.LastFiring), r.first, latest), Firings: min(max(a.Firings, 0), 1e6), Firing: a.Firing && r.open})
			r.firing = r.firing || a.Firing && r.open
		}
	}
	for _, ev := range i.Timeline[:min(len(i.Timeline), maxReportEvents)] {
		if ev.Kind != proxyEvent {
			r.events = append(r.events, messages.IncidentEvent{At: at(ev.At), NodeID: id.NodeID, Kind: shortened(ev.Kind), Text: shortened(ev.Text)})
		}
	}
	r.takeFiles(i)
	return r
}

// takeFiles takes the files of the node: those that are in its directory.
func (r *report) takeFiles(i *messages.Incident) {
	foreign := 0
	for n := range i.Nodes {
		for _, f := range i.Nodes[n].Files {
			isHere := strings.HasPrefix(f.Path, r.node.Dir+"/") && len(f.SHA256) == 64 && len(f.What) <= 64
			if !isHere || len(r.files) == maxReportFiles || slices.ContainsFunc(r.files, func(o messages.EvidenceFile) bool { return strings.EqualFold(o.Path, f.Path) }) {
				foreign++
				continue
			}
			r.files = append(r.files, f)
		}
		for _, m := range i.Nodes[n].Missing[:min(len(i.Nodes[n].Missing), maxReportMissing)] {
			if len(r.missing) < maxReportMissing {
				r.missing = append(r.missing, messages.EvidenceMissing{What: shortened(m.What), Reason: shortened(m.Reason)})
			}
		}
	}
	if foreign > 0 {
		r.missing = append(r.missing, messages.EvidenceMissing{What: "files", Reason: itoa(foreign) + " files are left out: they are too many, or not in the node's directory"})
	}
}

func shortened(text string) string { return cleanTo(text, maxReportText) }

// cleanTo returns the beginning of a valid text.
func cleanTo(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}

// within returns the time, or the bound that it is beyond.
func within(t, low, high time.Time) time.Time {
	switch {
	case t.Before(low):
		return low
	case t.After(high):
		return high
	}
	return t
}

func fewLabels(labels map[string]string) map[string]string {
	few := map[string]string{}
	for _, name := range sortedKeys(labels) {
		if len(few) == maxReportLabels {
			break
		}
		few[cleanTo(name, maxReportText)] = shortened(labels[name])
	}
	if len(few) == 0 {
		return nil
	}
	return few
}

// nodesToAsk returns the nodes whose agents are to be asked for their incidents, and takes them for asked: those that
// have something new, or all. There may be more of them than the limit.
func (s *incidentsState) nodesToAsk(all bool, limit int) (nodes []string) {
	if all {
		for _, a := range s.agents {
			a.wanted = a.wanted || a.attached && a.online
		}
	}
	for _, id := range sortedKeys(s.agents) {
		if a := s.agents[id]; a.wanted && a.attached && len(nodes) < limit {
			nodes = append(nodes, id)
			a.wanted = false
		}
	}
	return nodes
}

// question asks for what is not known yet.
func (s *incidentsState) question() messages.IncidentsQuestion {
	q := messages.IncidentsQuestion{Known: map[string]uint64{}}
	for _, a := range s.agents {
		if a.attached && a.known > 0 {
			q.Known[a.agentID] = a.known
		}
	}
	return q
}

// notReported takes that an agent did not answer: it is asked in the next round.
func (s *incidentsState) notReported(n *messages.NodeAnswer) {
	if a := s.agents[n.Identity.NodeID]; a != nil && n.Missing == messages.MissingUnserved {
		a.attached = false
	}
}
