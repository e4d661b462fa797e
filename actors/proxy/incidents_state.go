package proxy

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"fodc/messages"
)

// Limits of the incidents of a cluster.
const (
	// maxIncidentSpan bounds the time from the first occurrence of an incident to its last firing: whatever an
	// agent says, it cannot join what lies further apart.
	maxIncidentSpan = 2 * time.Hour
	// fullIncidentsPerDay is how many incidents of a rule on a node are opened within a day, and maxIncidentsPerHour how
	// many of a node within an hour. Later ones are counted.
	fullIncidentsPerDay = 3
	maxIncidentsPerHour = 6
	// nodeShare is the part of all incidents that may be of one node.
	nodeShare = 4
	// maxGone bounds the agents' incidents that are remembered because they shall not be opened again.
	maxGone = 20_000
	// awayTime is how long an incident waits for nodes that are away.
	awayTime = 6 * time.Hour
)

// incidentLimits are what the configuration says about incidents.
type incidentLimits struct {
	// before and after bound the evidence where no agent says otherwise, maxDuration the time for which a rule of
	// the proxy keeps an incident open.
	before, after, maxDuration time.Duration
	heartbeat                  time.Duration
	// maxNodes bounds the nodes of an incident, those on which rules have fired not counted; maxCount the
	// incidents.
	maxNodes, maxCount int
	// onDisk says that evidence is fetched and kept.
	onDisk bool
}

// partKey names an agent's incident.
type partKey struct{ nodeID, incidentID string }

// incidentsState decides for the actor of incidents: which incidents of agents belong together, which nodes keep their
// evidence beside them, and how far all that is.
type incidentsState struct {
	limits  incidentLimits
	newID   func(first time.Time) string
	entries map[string]*incidentEntry
	// index has the proxy's incident of each agent's; gone are those that are never opened again.
	index    map[partKey]string
	gone     map[partKey]bool
	goneList []partKey
	agents   map[string]*incidentAgent // by node id
	lost     lostNodes
	askedAt  []time.Time // of requests, within an hour
	fetches  uint64      // counts what was asked of the actor of evidence
	// removals are the incidents to be removed from the store, actions what agents still have to do.
	removals []incidentRemoval
	actions  []pendingAction
	opened   map[string]uint64 // by rule
	news     []incidentNews
}

// incidentEntry is an incident of the cluster.
type incidentEntry struct {
	// doc is not changed: another one takes its place.
	doc   *messages.Incident
	parts map[string]*incidentPart // by node id, one for each of doc.Nodes
	since time.Time                // when it was opened or read, by this process
	// restored says that a former process has opened it.
	restored bool
	// chosenFor is for how many nodes with problems the neighbours were chosen.
	chosenFor int
	// told is the state that was told, empty: nothing; toldSeverity is its severity then.
	told         messages.IncidentState
	toldSeverity string
	// touched says that something has happened to it that advance has not seen.
	touched bool
	// dirty says that the document is not saved; it is not tried again before saveAt. kept says that one was saved, or could not be.
	dirty  bool
	kept   bool
	saveAt time.Time
}

// incidentPart is a node in an incident, beyond what the document says of it.
type incidentPart struct {
	// own says that the agent has opened an incident by itself.
	own bool
	// known says that the agent has told of its incident since this process runs; open that this is open, files
	// what it has frozen, missing what it could not have.
	known, open bool
	files       []messages.EvidenceFile
	missing     []messages.EvidenceMissing
	profiles    bool
	// opened is when the agent has opened its incident, by its clock. twice says that there is another one of an agent with the same node id.
	opened time.Time
	twice  bool
	// since is when it was added, by this process.
	since  time.Time
	freeze freezeProgress
	fetch  fetchProgress
}

// incidentAgent is what is known of the agent of a node.
type incidentAgent struct {
	identity messages.Identity
	agentID  string // of the newest session
	online   bool
	// attached says that the session has a stream of incidents.
	attached bool
	// offset is what is to be added to its times.
	offset time.Duration
	// known is the revision of its incidents that has come. wanted says that it is to be asked.
	known  uint64
	wanted bool
}

func newIncidentsState(limits incidentLimits, newID func(time.Time) string) *incidentsState {
	return &incidentsState{limits: limits, newID: newID, entries: map[string]*incidentEntry{}, index: map[partKey]string{}, gone: map[partKey]bool{},
		agents: map[string]*incidentAgent{}, lost: newLostNodes(), opened: map[string]uint64{}}
}

// documentTime is the time as a document has it again after it was read.
func documentTime(t time.Time) time.Time { return t.Round(0).UTC() }

// loaded takes an incident of a former process.
func (s *incidentsState) loaded(doc *messages.Incident, now time.Time) {
	e := &incidentEntry{doc: doc, parts: map[string]*incidentPart{}, since: now, restored: true, kept: true}
	if doc.State != messages.IncidentOpen {
		e.told = doc.State // One that is open is told again.
	}
	for i := range doc.Nodes {
		n := &doc.Nodes[i]
		p := &incidentPart{own: n.IncidentID != "" && n.IncidentID != doc.ID, open: n.State == messages.IncidentOpen, since: now}
		p.twice = slices.ContainsFunc(n.Missing, func(m messages.EvidenceMissing) bool { return m.Reason == anotherStorage })
		if n.State == messages.IncidentCollected {
			p.fetch.done, p.freeze.closed = true, true
		}
		e.parts[n.NodeID] = p
		s.lost.restore(doc, n)
		if n.IncidentID != "" {
			s.index[partKey{n.NodeID, n.IncidentID}] = doc.ID
		}
		if n.Kind == messages.IncidentContext {
			e.chosenFor = e.problems()
		}
	}
	s.entries[doc.ID] = e
}

// problems counts the nodes on which rules have fired.
func (e *incidentEntry) problems() (n int) {
	for i := range e.doc.Nodes {
		if e.doc.Nodes[i].Kind == messages.IncidentRule {
			n++
		}
	}
	return n
}

// change replaces the document by an edited copy. It reports whether something has changed.
func (e *incidentEntry) change(edit func(doc *messages.Incident)) bool {
	doc := e.doc.Clone()
	edit(&doc)
	if equalIncidents(&doc, e.doc) {
		return false
	}
	e.doc, e.dirty = &doc, true
	return true
}

// node returns the node of a document, nil if it has none of that id.
func nodeOf(doc *messages.Incident, nodeID string) *messages.IncidentNode {
	if i := slices.IndexFunc(doc.Nodes, func(n messages.IncidentNode) bool { return n.NodeID == nodeID }); i >= 0 {
		return &doc.Nodes[i]
	}
	return nil
}

// sorted returns the incidents, those first that have begun first.
func (s *incidentsState) sorted() []*incidentEntry {
	return slices.SortedFunc(maps.Values(s.entries), func(a, b *incidentEntry) int {
		return cmp.Or(a.doc.FirstOccurrence.Compare(b.doc.FirstOccurrence), cmp.Compare(a.doc.ID, b.doc.ID))
	})
}

// list returns all documents, the newest first. They are not to be changed.
func (s *incidentsState) list() []*messages.Incident {
	docs := make([]*messages.Incident, 0, len(s.entries))
	for _, e := range s.sorted() {
		docs = append(docs, e.doc)
	}
	slices.Reverse(docs)
	return docs
}

// open counts the incidents that are open.
func (s *incidentsState) open() (n int) {
	for _, e := range s.entries {
		if e.doc.State == messages.IncidentOpen {
			n++
		}
	}
	return n
}

// openedCounts returns how many incidents were opened, by rule.
func (s *incidentsState) openedCounts() map[string]uint64 { return maps.Clone(s.opened) }

// bytes is the size of all evidence.
func (s *incidentsState) bytes() (bytes int64) {
	for _, e := range s.entries {
		bytes += e.doc.Bytes()
	}
	return bytes
}

// forget removes an incident. Those of the agents are not opened again.
func (s *incidentsState) forget(e *incidentEntry) {
	for i := range e.doc.Nodes {
		if n := &e.doc.Nodes[i]; n.IncidentID != "" {
			key := partKey{n.NodeID, n.IncidentID}
			delete(s.index, key)
			s.never(key)
		}
	}
	delete(s.entries, e.doc.ID)
}

// never remembers that an agent's incident is not to be opened.
func (s *incidentsState) never(key partKey) {
	if s.gone[key] {
		return
	}
	s.gone[key] = true
	s.goneList = append(s.goneList, key)
	if len(s.goneList) > maxGone {
		delete(s.gone, s.goneList[0])
		s.goneList = s.goneList[1:]
	}
}

// evicted takes the ids of the incidents that the store has removed to make room.
func (s *incidentsState) evicted(ids []string) {
	for _, id := range ids {
		if e := s.entries[id]; e != nil {
			s.forget(e)
		}
	}
}

// incidentNews is what is to be told of an incident: its opening or end, by its state, that its severity has risen, or again that it is
// open, as a former process has told.
type incidentNews struct {
	doc          *messages.Incident
	worse, again bool
}

// takeNews returns what is to be told. Of an incident that is not stored nothing is: after a kill there would be another one in its
// place, and nobody would say that this one is over.
func (s *incidentsState) takeNews(now time.Time) (news []incidentNews) {
	for _, e := range s.sorted() {
		if !e.isKept(now) {
			continue
		}
		isOpen, wasOpen := e.doc.State == messages.IncidentOpen, e.told == messages.IncidentOpen
		worse := isOpen && wasOpen && severityOrder(e.doc.Severity) > severityOrder(e.toldSeverity)
		if e.told == "" || isOpen != wasOpen || worse {
			news = append(news, incidentNews{doc: e.doc, worse: worse, again: e.told == "" && e.restored})
			e.toldSeverity = e.doc.Severity
		}
		e.told = e.doc.State
	}
	news, s.news = append(news, s.news...), nil
	return news
}
