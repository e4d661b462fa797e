package proxy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestIncidentScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/incidents*.txt", func() actorstest.Script { return newIncidentMachine() })
}

// incidentMachine plays scripts on the state of incidents, with agents that do what they are asked.
type incidentMachine struct {
	actorstest.ScriptClock
	state  *incidentsState
	limits incidentLimits
	nodes  map[string]*scriptNode
	ids    int
	silent bool // agents do not answer
}

// scriptNode is a node of a script. Its clock is ahead of the proxy's.
type scriptNode struct {
	status   messages.NodeStatus
	ahead    time.Duration
	records  map[string]*messages.Incident // what its agent keeps for the proxy
	unserved bool
}

func newIncidentMachine() *incidentMachine {
	m := &incidentMachine{nodes: map[string]*scriptNode{}, limits: incidentLimits{heartbeat: 10 * time.Second, maxNodes: 50, maxCount: 200}.withDefaults()}
	m.Wait(24 * time.Hour)
	m.state = newIncidentsState(m.limits, m.newID)
	return m
}

const scriptULID = "01JDZX3M9V5T6Q2W8R4Y7B"

func (m *incidentMachine) newID(time.Time) string {
	m.ids++
	return scriptID(m.ids)
}

func scriptID(n int) string { return fmt.Sprintf("%s%04d", scriptULID, n) }

// short is how a script names an incident.
func short(id string) string { return "#" + strings.TrimLeft(strings.TrimPrefix(id, scriptULID), "0") }

func (m *incidentMachine) Do(command string, args []string) string {
	values := map[string]string{}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		values[key] = value
	}
	switch command {
	case "limit": // limit [nodes=N] [count=N] [disk]
		if values["nodes"] != "" {
			m.limits.maxNodes = int(number(values["nodes"]))
		}
		if values["count"] != "" {
			m.limits.maxCount = int(number(values["count"]))
		}
		_, m.limits.onDisk = values["disk"]
		m.state.limits = m.limits
	case "node": // node NAME ROLE [ahead=DURATION] [field]: it connects
		m.connect(args[0], args[1], values)
	case "lost": // lost NAME...: their sessions break
		for _, name := range args {
			s := &m.nodes[name].status
			s.Status, s.LostAt = messages.StatusUnconnected, m.Now()
		}
	case "stall": // stall NAME...: all stood still for a while: one look finds their sessions broken, the next one new ones
		for _, name := range args {
			s := &m.nodes[name].status
			s.Status, s.LostAt, s.LastHeartbeat = messages.StatusUnconnected, m.Now(), m.Now().Add(-time.Minute)
		}
		out := m.run(time.Second)
		for _, name := range args {
			m.connect(name, m.nodes[name].status.Identity.Role, nil)
		}
		return out + m.run(time.Second)
	case "back":
		for _, name := range args {
			m.connect(name, m.nodes[name].status.Identity.Role, values)
		}
	case "bye":
		delete(m.nodes, args[0])
	case "removed": // the registry forgets it
		delete(m.nodes, args[0])
	case "report": // report NODE NUMBER RULE first=DURATION [last=DURATION] [open] [firing] [severity=S] [files=FILE,...] [opened=DURATION]
		return m.report(args, values)
	case "tells": // tells NODE...: their agents tell of all their incidents
		for _, name := range args {
			m.collect(m.nodes[name])
		}
	case "run": // run DURATION
		return m.run(duration(args[0]))
	case "suspend":
		m.Wait(duration(args[0]))
	case "silent":
		m.silent = true
	case "restart":
		return m.restart()
	case "request": // request NODE...
		doc, err := m.state.request(messages.IncidentOrder{Nodes: args, Reason: "look", Before: time.Minute, After: 10 * time.Second}, m.Now())
		if err != nil {
			return err.Error()
		}
		return short(doc.ID)
	case "act": // act NUMBER ACTION
		if err := m.state.act(scriptID(int(number(args[0]))), messages.IncidentAction(args[1]), m.Now()); err != nil {
			return err.Error()
		}
	case "fetched": // fetched NUMBER NODE [FILE]... [old] [without=REASON]
		m.fetched(args, values)
	case "show": // show [files=names]
		return m.showWith(values)
	default:
		return "unknown command " + command
	}
	return ""
}

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}

func (m *incidentMachine) connect(name, role string, values map[string]string) {
	n := m.nodes[name]
	if n == nil {
		n = &scriptNode{records: map[string]*messages.Incident{}}
		m.nodes[name] = n
	}
	if text := values["ahead"]; text != "" {
		n.ahead = duration(text)
	}
	_, n.unserved = values["field"]
	m.ids++
	id := messages.Identity{NodeID: name, Role: role}
	n.status = messages.NodeStatus{Identity: id, Status: messages.StatusOnline, AgentID: "agent-" + strconv.Itoa(m.ids), LastHeartbeat: m.Now(),
		Timing: &messages.Timing{ClockOffset: -n.ahead}}
	m.ids--
	if !n.unserved {
		m.state.attached(id, n.status.AgentID, clockOffset(n.status.Timing), m.Now())
	}
}

func (m *incidentMachine) report(args []string, values map[string]string) string {
	n := m.nodes[args[0]]
	at := func(key string) time.Time { return m.Now().Add(n.ahead).Add(-duration(values[key])) }
	_, open := values["open"]
	_, firing := values["firing"]
	r := &messages.Incident{ID: scriptID(9000 + int(number(args[1]))), Kind: messages.IncidentRule, State: messages.IncidentFrozen, FirstOccurrence: at("first"), LastFiring: at("first"),
		From: at("first").Add(-10 * time.Minute), Summary: args[2] + " on " + args[0]}
	if values["last"] != "" {
		r.LastFiring = at("last")
	}
	r.To = r.LastFiring.Add(2 * time.Minute)
	if open {
		r.State, r.To = messages.IncidentOpen, time.Time{}
	}
	if values["opened"] != "" {
		r.OpenedAt = at("opened")
	}
	severity := values["severity"]
	if severity == "" {
		severity = "warning"
	}
	r.Rules = []messages.IncidentAlert{{Rule: args[2], Severity: severity, Summary: r.Summary, FirstOccurrence: r.FirstOccurrence, LastFiring: r.LastFiring, Firing: firing, Firings: 1}}
	if values["files"] != "" {
		r.Nodes = []messages.IncidentNode{{NodeID: args[0], Files: scriptFiles(args[0], strings.Split(values["files"], ","))}}
	}
	n.records[r.ID] = r
	m.collect(n)
	return m.told()
}

// scriptFiles are files of a node. A name may end in another version than that of 0: heap:1.
func scriptFiles(node string, names []string) (files []messages.EvidenceFile) {
	for _, name := range names {
		name, version, _ := strings.Cut(name, ":")
		files = append(files, messages.EvidenceFile{Path: messages.EvidenceDir(node) + "/" + name, What: name, Bytes: 7, SHA256: fmt.Sprintf("%064s", version)})
	}
	return files
}

// fetched answers the newest question for the evidence of a node, or an older one.
func (m *incidentMachine) fetched(args []string, values map[string]string) {
	f := nodeFetched{incidentID: scriptID(int(number(args[0]))), nodeID: args[1], done: true}
	f.number = m.state.entries[f.incidentID].parts[f.nodeID].fetch.number
	var names []string
	for _, name := range args[2:] {
		switch {
		case name == "old":
			f.number--
		case !strings.Contains(name, "="):
			names = append(names, name)
		}
	}
	f.files = scriptFiles(f.nodeID, names)
	if reason := values["without"]; reason != "" {
		f.missing = []messages.EvidenceMissing{{What: "window", Reason: reason}}
	}
	m.state.fetched(f)
}

// collect has an agent tell of all its incidents.
func (m *incidentMachine) collect(n *scriptNode) {
	r := agentReport{identity: n.status.Identity, agentID: n.status.AgentID, revision: 1}
	for _, id := range sortedKeys(n.records) {
		c := n.records[id].Clone()
		r.records = append(r.records, &c)
	}
	m.state.reported(r, m.Now())
	m.state.advance(m.Now())
}

// run lets time pass. The agents send heartbeats and answer.
func (m *incidentMachine) run(d time.Duration) string {
	var lines []string
	for range int(d / time.Second) {
		m.Wait(time.Second)
		now := m.Now()
		cluster := messages.Cluster{}
		for _, name := range sortedKeys(m.nodes) {
			n := m.nodes[name]
			if n.status.Status == messages.StatusOnline {
				n.status.LastHeartbeat = now
			}
			cluster.Nodes = append(cluster.Nodes, n.status)
		}
		m.state.looked(cluster, now)
		m.state.advance(now)
		for _, ask := range m.state.nextFreezes(now) {
			lines = append(lines, m.freeze(ask))
		}
		m.state.advance(now)
		for _, f := range m.state.nextFetches(now) {
			lines = append(lines, fmt.Sprintf("fetch %s of %s from %d, %d files", short(f.incidentID), f.node.NodeID, f.from, len(f.node.Files)))
		}
		for _, a := range m.state.nextActions(now) {
			lines = append(lines, fmt.Sprintf("%s asks %s: %s", a.question.Action, a.nodeID, short(a.question.IncidentID)))
			m.state.acted(a, &messages.NodeAnswer{})
		}
		for w := m.state.nextWrite(now); w != nil; w = m.state.nextWrite(now) {
			m.state.written(w, nil, now)
		}
		if told := m.told(); told != "" {
			lines = append(lines, told)
		}
	}
	return strings.Join(lines, "\n")
}

// freeze answers as an agent.
func (m *incidentMachine) freeze(ask freezeAsk) string {
	n, q := m.nodes[ask.nodeID], ask.question
	line := fmt.Sprintf("ask %s to freeze for %s, from %s", ask.nodeID, short(q.ID), m.ago(q.From.Add(-n.ahead)))
	if !q.To.IsZero() {
		line += " to " + m.ago(q.To.Add(-n.ahead))
	}
	if q.Profiles {
		line += ", with profiles"
	}
	answer := &messages.NodeAnswer{Identity: n.status.Identity, AgentID: n.status.AgentID}
	switch {
	case m.silent:
		answer.Missing = messages.MissingTimeout
	case n.unserved:
		answer.Missing = messages.MissingUnserved
	default:
		record := &messages.Incident{ID: q.ID, Kind: q.Kind, State: messages.IncidentOpen, FirstOccurrence: q.FirstOccurrence, From: q.From, To: q.To,
			Nodes: []messages.IncidentNode{{NodeID: ask.nodeID, Dir: messages.EvidenceDir(ask.nodeID)}}}
		if !q.To.IsZero() {
			record.State = messages.IncidentFrozen
			record.Nodes[0].Files = []messages.EvidenceFile{{Path: record.Nodes[0].Dir + "/window.journal", Bytes: 5, SHA256: strings.Repeat("0", 64)}}
		}
		n.records[q.ID] = record
		answer.Parts = []messages.Part{&messages.IncidentRecord{Incident: *record}}
	}
	m.state.freezeAnswered(ask, answer, m.Now())
	return line
}

func (m *incidentMachine) told() string {
	var lines []string
	for _, n := range m.state.takeNews(m.Now()) {
		line := fmt.Sprintf("tell %s is %s", short(n.doc.ID), n.doc.State)
		if n.worse {
			line += ", and " + n.doc.Severity
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (m *incidentMachine) restart() string {
	before := m.state
	m.state = newIncidentsState(m.limits, m.newID)
	for _, e := range before.sorted() {
		b, err := messages.EncodeIncident(e.doc)
		if err != nil {
			return err.Error()
		}
		doc, err := messages.ParseIncident(b)
		if err != nil {
			return err.Error()
		}
		m.state.loaded(&doc, m.Now())
	}
	return ""
}

func (m *incidentMachine) ago(t time.Time) string {
	return strings.TrimSuffix(m.Now().Sub(t).Round(time.Second).String(), "0s") + " ago"
}

func (m *incidentMachine) show() string { return m.showWith(nil) }

func (m *incidentMachine) showWith(values map[string]string) string {
	var lines []string
	for _, doc := range m.state.list() {
		lines = append(lines, fmt.Sprintf("%s %s %s since %s: %s", short(doc.ID), doc.State, doc.Severity, m.ago(doc.FirstOccurrence), doc.Summary))
		for i := range doc.Nodes {
			n := &doc.Nodes[i]
			line := fmt.Sprintf("  %s %s %s", n.NodeID, n.Kind, n.State)
			for _, missing := range n.Missing {
				line += ", " + missing.Reason
			}
			switch {
			case values["files"] != "" && len(n.Files) > 0:
				for _, f := range n.Files {
					line += " " + strings.TrimPrefix(f.Path, n.Dir+"/") + ":" + strings.TrimLeft(f.SHA256, "0")
				}
			case len(n.Files) > 0:
				line += fmt.Sprintf(", %d files", len(n.Files))
			}
			lines = append(lines, line)
		}
		if doc.Repeated > 0 {
			lines = append(lines, fmt.Sprintf("  repeated %d times", doc.Repeated))
		}
	}
	return strings.Join(lines, "\n")
}

// Reports of one time, of any nodes in any order, are one incident; and what the proxy has of it is the same after
// each restart.
func TestOneIncidentInAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := newIncidentMachine()
		type job struct{ node, first, last int }
		var jobs []job
		for i := range 6 {
			begin := 600 - 60*i // seconds ago: each overlaps with its neighbours
			jobs = append(jobs, job{i, begin, begin - 30})
			m.Do("node", []string{"n" + itoa(i), "ROLE_DATA"})
		}
		m.run(time.Second)
		r.Shuffle(len(jobs), func(i, k int) { jobs[i], jobs[k] = jobs[k], jobs[i] })
		for _, j := range jobs {
			m.Do("report", []string{"n" + itoa(j.node), itoa(j.node), "EndpointDown", fmt.Sprintf("first=%ds", j.first), fmt.Sprintf("last=%ds", j.last)})
			if r.IntN(3) == 0 {
				m.Do("restart", nil)
				for _, name := range sortedKeys(m.nodes) {
					m.Do("back", []string{name})
				}
			}
		}
		for _, n := range m.nodes {
			m.collect(n)
		}
		require.Len(t, m.state.entries, 1, "seed %d\n%s", seed, m.show())
		doc := m.state.list()[0]
		require.Len(t, doc.Nodes, 6)
		require.Equal(t, "10m0s", m.Now().Sub(doc.FirstOccurrence).Round(time.Minute).String())
		before := m.show()
		m.Do("restart", nil)
		require.Equal(t, before, m.show())
	}
}

// Nobody is told of an incident that would have another id after a kill, unless the disk takes long to store it.
func TestNobodyIsToldOfWhatIsNotStored(t *testing.T) {
	f := func(stored bool) {
		t.Helper()
		m := newIncidentMachine()
		m.Do("node", []string{"d1", "ROLE_DATA"})
		m.run(time.Second)
		doc, err := m.state.request(messages.IncidentOrder{Nodes: []string{"d1"}, Reason: "look"}, m.Now())
		require.NoError(t, err)
		require.False(t, m.state.entries[doc.ID].isKept(m.Now()))
		require.Empty(t, m.state.nextFreezes(m.Now()))
		require.Empty(t, m.state.takeNews(m.Now()))
		if stored {
			m.state.written(m.state.nextWrite(m.Now()), nil, m.Now())
		} else {
			m.Wait(keepPatience)
		}
		require.True(t, m.state.entries[doc.ID].isKept(m.Now()))
		require.Len(t, m.state.nextFreezes(m.Now()), 1)
		require.Len(t, m.state.takeNews(m.Now()), 1)
	}
	f(true)
	f(false)
}

// An agent that has thousands of incidents of all times, and names files of others, costs others nothing.
func TestHostileReports(t *testing.T) {
	m := newIncidentMachine()
	m.Do("node", []string{"good", "ROLE_DATA"})
	m.Do("node", []string{"bad", "ROLE_DATA"})
	m.run(time.Second)
	m.Do("report", []string{"good", "1", "OOMKill", "first=30s", "last=20s"})
	good := m.state.list()[0].ID
	r := rand.New(rand.NewPCG(1, 2))
	n := m.nodes["bad"]
	for round := range 20 {
		report := agentReport{identity: n.status.Identity, agentID: n.status.AgentID, revision: uint64(round + 1)}
		for i := range 10_000 {
			at := func() time.Time { return time.Unix(r.Int64N(4e9)-1e9, 0) }
			record := &messages.Incident{ID: fmt.Sprintf("%s%04d", strconv.Itoa(round%8)+scriptULID[1:], i%10_000), Kind: messages.IncidentRule, State: messages.IncidentFrozen,
				FirstOccurrence: at(), LastFiring: at(), From: at(), To: at(),
				Rules: []messages.IncidentAlert{{Rule: "R" + itoa(i), NodeID: "good", Severity: "critical", Firing: true}, {Rule: ruleAgentLost, NodeID: "good", Firing: true}},
				Nodes: []messages.IncidentNode{{NodeID: "good", Dir: messages.EvidenceDir("good"), Files: []messages.EvidenceFile{
					{Path: "nodes/good/window.journal", SHA256: strings.Repeat("0", 64), Bytes: 1 << 40}, {Path: "nodes/bad/x", SHA256: strings.Repeat("0", 64), Bytes: 5}}}}}
			if i%3 == 0 {
				record.State = messages.IncidentOpen
			}
			report.records = append(report.records, record)
		}
		m.state.reported(report, m.Now())
		m.run(3 * time.Second)
	}
	doc := m.state.entries[good].doc
	require.NotNil(t, doc)
	require.Equal(t, "OOMKill on good", doc.Summary)
	require.LessOrEqual(t, len(m.state.entries), m.limits.maxCount/nodeShare+1)
	for _, e := range m.state.entries {
		for i := range e.doc.Nodes {
			node := &e.doc.Nodes[i]
			for _, f := range node.Files {
				require.True(t, strings.HasPrefix(f.Path, node.Dir+"/"))
				require.LessOrEqual(t, f.Bytes, int64(5))
			}
		}
		require.False(t, slices.ContainsFunc(e.doc.Rules, func(a messages.IncidentAlert) bool {
			return isProxyRule(a.Rule) || a.NodeID == "good" && a.Rule != "OOMKill"
		}))
	}
	require.LessOrEqual(t, len(m.state.gone), maxGone)
}

func TestFairCut(t *testing.T) {
	f := func(limit int, list, want string) {
		t.Helper()
		require.Equal(t, want, string(fairCut([]rune(list), limit, func(r rune) string { return string(r) })))
	}
	f(10, "aaaab", "aaaab")
	f(3, "aaaab", "aab")
	f(2, "baaaa", "ba")
	f(4, "ccabab", "ccab")
	f(2, "abcd", "ab")
	f(5, "abababccc", "ababc")
	f(6, "aaaaaaaabcde", "aabcde")
}

// An event of which an agent says more later is in the timeline once, as it was said last; what the proxy itself has seen stays.
func TestEventsOfAnAgentReplaceEarlierOnes(t *testing.T) {
	m := newIncidentMachine()
	m.connect("d1", "data", map[string]string{})
	report := func(text string) {
		at := m.Now()
		m.state.reported(agentReport{identity: messages.Identity{NodeID: "d1"}, agentID: "a", records: []*messages.Incident{{ID: scriptID(9001), Kind: messages.IncidentRule,
			State: messages.IncidentOpen, FirstOccurrence: at, Rules: []messages.IncidentAlert{{Rule: "Down", Severity: "warning", FirstOccurrence: at, Firing: true}},
			Timeline: []messages.IncidentEvent{{At: at, Kind: "scrape", Text: text}, {At: at, Kind: proxyEvent, Text: "forged"}}}}}, m.Now())
	}
	report("the last of 5 failed scrapes")
	e := m.state.sorted()[0]
	m.state.addAlert(e, &watchedNode{identity: messages.Identity{NodeID: "d1"}}, messages.IncidentAlert{Rule: ruleAgentLost, NodeID: "d1", Summary: "Lost.", FirstOccurrence: m.Now()}, m.Now())
	report("the last of 13 failed scrapes")
	var texts []string
	for _, ev := range m.state.sorted()[0].doc.Timeline {
		texts = append(texts, ev.Text)
	}
	require.Equal(t, []string{"AgentLost: Lost.", "the last of 13 failed scrapes"}, texts)
}

// A thousand agents that have an incident at the same moment are in few incidents, each within its limits.
func TestAThousandAgentsWithIncidents(t *testing.T) {
	m := newIncidentMachine()
	const agents = 1000
	for round := range 2 {
		for n := range agents {
			name := fmt.Sprintf("d%d", n)
			if round == 0 {
				m.connect(name, "data", map[string]string{})
			}
			at := m.Now().Add(-10 * time.Second)
			r := &messages.Incident{ID: scriptID(9000 + n), Kind: messages.IncidentRule, State: messages.IncidentOpen, FirstOccurrence: at, LastFiring: at,
				Rules: []messages.IncidentAlert{{Rule: "Down", Severity: "warning", Summary: "It is down.", FirstOccurrence: at, LastFiring: at, Firing: true}}}
			for e := range 50 {
				r.Timeline = append(r.Timeline, messages.IncidentEvent{At: at.Add(time.Duration(e) * time.Second), Kind: "scrape", Text: fmt.Sprintf("%d of %d", round, e)})
			}
			m.state.reported(agentReport{identity: messages.Identity{NodeID: name, Role: "data"}, agentID: name, records: []*messages.Incident{r}}, m.Now())
		}
		m.state.advance(m.Now())
		m.state.takeNews(m.Now())
		m.Wait(time.Second)
	}
	require.LessOrEqual(t, len(m.state.entries), agents/messages.MaxIncidentNodes+1)
	nodes := 0
	for _, e := range m.state.entries {
		nodes += e.problems()
		require.LessOrEqual(t, len(e.doc.Timeline), messages.MaxIncidentEvents)
		require.LessOrEqual(t, e.doc.MemoryBytes(), maxDocumentMemory)
	}
	require.Equal(t, agents, nodes)
}
