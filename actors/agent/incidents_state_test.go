package agent

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

var testIncidentTimes = incidentTimes{before: 10 * time.Minute, after: 2 * time.Minute, coolDown: 10 * time.Minute, maxDuration: 15 * time.Minute}

func TestIncidentScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/incidents*.txt", func() actorstest.Script {
		m := &incidentsMachine{}
		m.Wait(1000 * time.Hour)
		m.start()
		return m
	})
}

type incidentsMachine struct {
	actorstest.ScriptClock
	state *incidentsState
	ids   int
	// disk is what was saved of each incident.
	disk map[string]messages.Incident
}

func (m *incidentsMachine) start() {
	m.state = newIncidentsState(testIncidentTimes, testIncidentNode, func(time.Time) string {
		m.ids++
		return m.id(m.ids)
	}, m.Now())
}

func testIncidentNode() messages.IncidentNode {
	return messages.IncidentNode{NodeID: "n", Role: "data", Dir: messages.EvidenceDir("n")}
}

func (m *incidentsMachine) id(n int) string { return fmt.Sprintf("01JDZX3M9V5T6Q2W8R4Y7B1N%02d", n) }

func (m *incidentsMachine) Do(command string, args []string) string {
	switch command {
	case "load":
		return m.load(0)
	case "restart": // restart [DOWNTIME]: from what was saved
		m.start()
		if len(args) > 0 {
			d, _ := time.ParseDuration(args[0])
			m.state.down = agentGap{m.Now(), m.Now().Add(d)}
			m.Wait(d)
		}
		return ""
	case "fire", "quiet": // fire RULE[/LABEL][@AGO] ...: all that fires
		return m.effects(m.state.evaluated(m.alerts(args), m.Now()))
	case "flap": // flap RULE PERIOD TIMES: fires for 10 s each
		return m.flap(args)
	case "due":
		return m.effects(m.state.due(m.Now()))
	case "back": // back DURATION: the clock is set back
		d, _ := time.ParseDuration(args[0])
		m.Wait(-d)
		return ""
	case "frozen":
		var b strings.Builder
		for _, e := range m.state.sorted() {
			if e.phase == incidentIsFreezing {
				b.WriteString(m.effects(m.state.frozen(e.doc.ID, []messages.EvidenceFile{{Path: "nodes/n/window.journal", What: "window", Bytes: 100}}, nil, m.Now())))
			}
		}
		return b.String()
	case "request": // request AFTER
		d, _ := time.ParseDuration(args[0])
		_, effects, err := m.state.requested(messages.IncidentOrder{Reason: "look", By: "me", Before: time.Minute, After: d, Profiles: true}, m.Now())
		return m.effects(effects) + errorText(err)
	case "context": // context NUMBER FROM-AGO [TO-AGO]
		return m.context(args)
	case "act": // act NUMBER ACTION
		var n int
		_, _ = fmt.Sscan(args[0], &n)
		_, effects, err := m.state.act(m.id(n), messages.IncidentAction(args[1]), m.Now())
		return m.effects(effects) + errorText(err)
	case "next":
		after, any := m.state.nextDue(m.Now())
		return fmt.Sprint(after, " ", any)
	case "show":
		return m.show()
	case "events":
		var b strings.Builder
		for _, e := range m.state.events.newest {
			fmt.Fprintf(&b, "%s %s %s\n", e.At.Format(time.TimeOnly), e.Kind, e.Text)
		}
		return b.String()
	default:
		return "unknown command " + command
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error() + "\n"
}

func (m *incidentsMachine) load(int) string {
	docs := []messages.Incident{}
	for _, d := range m.disk {
		docs = append(docs, d)
	}
	return m.effects(m.state.loaded(docs, m.Now()))
}

func (m *incidentsMachine) alerts(args []string) (alerts []ruleAlert) {
	for _, arg := range args {
		name, ago, _ := strings.Cut(arg, "@")
		rule, label, _ := strings.Cut(name, "/")
		d, _ := time.ParseDuration(ago)
		a := ruleAlert{rule: rule, severity: "warning", summary: rule + " is bad", labels: map[string]string{"job": label}, activeAt: m.Now().Add(-d)}
		if strings.HasPrefix(rule, "Critical") {
			a.severity = "critical"
		}
		alerts = append(alerts, a)
	}
	return alerts
}

func (m *incidentsMachine) flap(args []string) string {
	period, _ := time.ParseDuration(args[1])
	var times int
	_, _ = fmt.Sscan(args[2], &times)
	var b strings.Builder
	for range times {
		b.WriteString(m.effects(m.state.evaluated(m.alerts(args[:1]), m.Now())))
		for at := 10 * time.Second; at < period; at += 10 * time.Second {
			m.Wait(10 * time.Second)
			b.WriteString(m.effects(m.state.evaluated(nil, m.Now())))
			b.WriteString(m.Do("frozen", nil))
		}
		m.Wait(10 * time.Second)
	}
	return b.String()
}

func (m *incidentsMachine) context(args []string) string {
	var n int
	_, _ = fmt.Sscan(args[0], &n)
	ago := func(text string) time.Time {
		d, _ := time.ParseDuration(text)
		return m.Now().Add(-d)
	}
	q := messages.FreezeQuestion{ID: m.id(n), Kind: messages.IncidentContext, From: ago(args[1]), FirstOccurrence: m.Now(), Profiles: true, Reason: "other"}
	if len(args) > 2 {
		q.To = ago(args[2])
	}
	_, effects, err := m.state.freezeAsked(q, m.Now())
	return m.effects(effects) + errorText(err)
}

// effects are what is to be done; saved documents are kept.
func (m *incidentsMachine) effects(effects []incidentEffect) string {
	if m.disk == nil {
		m.disk = map[string]messages.Incident{}
	}
	var b strings.Builder
	short := func(id string) string { return strings.TrimPrefix(id, "01JDZX3M9V5T6Q2W8R4Y7B1N") }
	for _, e := range effects {
		switch e := e.(type) {
		case openIncident:
			fmt.Fprintf(&b, "open %s profiles=%t\n", short(e.id), m.state.entries[e.id].profiles)
		case freezeIncident:
			doc := m.state.entries[e.id].doc
			fmt.Fprintf(&b, "%s freeze %s from %s to %s\n", m.Now().Format(time.TimeOnly), short(e.id), doc.From.Format(time.TimeOnly), doc.To.Format(time.TimeOnly))
		case keepJournal:
			fmt.Fprintf(&b, "keep the journal from %s\n", m.state.pins()[0].from.Format(time.TimeOnly))
		case saveIncident:
			m.disk[e.id] = *m.state.entries[e.id].doc
		case removeIncident:
			delete(m.disk, e.id)
			fmt.Fprintf(&b, "remove %s\n", short(e.id))
		case logIncident:
			fmt.Fprintf(&b, "%s log warn=%t %q %q\n", m.Now().Format(time.TimeOnly), e.warn, strings.ReplaceAll(e.text, "01JDZX3M9V5T6Q2W8R4Y7B1N", ""), e.cause)
		}
	}
	return b.String()
}

func (m *incidentsMachine) show() string {
	var b strings.Builder
	for _, doc := range m.state.list() {
		fmt.Fprintf(&b, "%s %s %s %s first %s from %s to %s repeated %d pinned=%t missing %v\n", doc.ID[24:], doc.Kind, doc.State, doc.Severity, doc.FirstOccurrence.Format(time.TimeOnly),
			doc.From.Format(time.TimeOnly), doc.To.Format(time.TimeOnly), doc.Repeated, doc.Pinned, doc.Nodes[0].Missing)
		for _, r := range doc.Rules {
			fmt.Fprintf(&b, "   %s/%s first %s last %s firings %d firing=%t\n", r.Rule, r.Labels["job"], r.FirstOccurrence.Format(time.TimeOnly), r.LastFiring.Format(time.TimeOnly), r.Firings, r.Firing)
		}
	}
	return b.String()
}

// Whatever happens, also to the clock: an incident ends, there is one of a rule at a time, no more are opened than the
// limits allow, and no time is negative.
func TestIncidentsAtRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	m := &incidentsMachine{}
	m.Wait(100_000 * time.Hour)
	m.start()
	m.load(0)
	opened := 0
	age := map[string]time.Duration{}
	for range 10_000 {
		step := time.Duration(random.Int64N(int64(time.Minute)))
		m.Wait(step)
		if random.IntN(2000) == 0 {
			m.Wait(time.Duration(random.Int64N(int64(48*time.Hour))) - 24*time.Hour)
		}
		for id := range m.state.entries {
			age[id] += step
		}
		var names []string
		for _, rule := range []string{"A", "B", "C"} {
			if random.IntN(4) == 0 {
				names = append(names, rule)
			}
		}
		switch random.IntN(12) {
		case 0:
			m.Do("frozen", nil)
		case 1:
			m.Do("request", []string{"1m"})
		case 2:
			if random.IntN(50) == 0 {
				m.Do("restart", nil)
				m.load(0)
			}
		case 3, 4:
			m.Do("due", nil)
		default:
			opened += strings.Count(m.Do("fire", names), "open ")
		}
		open := 0
		for id, e := range m.state.entries {
			if e.phase == incidentIsOpen {
				if age[id] >= 40*time.Minute {
					require.Less(t, age[id], 40*time.Minute, "incident %s is open", id)
				}
				if e.doc.Kind == messages.IncidentRule {
					open++
				}
			} else {
				took := e.doc.To.Sub(e.doc.From)
				if took < 0 || took > testIncidentTimes.span() {
					require.GreaterOrEqual(t, took, time.Duration(0))
					require.LessOrEqual(t, took, testIncidentTimes.span())
				}
			}
		}
		require.LessOrEqual(t, open, 1)
		if len(m.state.entries) > 150 {
			m.state.evicted([]string{m.state.sorted()[0].doc.ID})
			m.disk = map[string]messages.Incident{}
		}
	}
	require.Greater(t, opened, 5)
}

// Whoever has the incidents of a revision is told of those that have changed since, and not of two hundred old ones.
func TestIncidentsSinceARevision(t *testing.T) {
	begin := time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)
	s := newIncidentsState(testIncidentTimes, testIncidentNode, nil, begin)
	var docs []messages.Incident
	for n := range 3 {
		docs = append(docs, messages.Incident{Version: messages.IncidentVersion, ID: fmt.Sprintf("01JDZX3M9V5T6Q2W8R4Y%06d", n), Kind: messages.IncidentRule, State: messages.IncidentFrozen,
			OpenedAt: begin.Add(time.Duration(n-10) * time.Minute), FirstOccurrence: begin.Add(time.Duration(n-10) * time.Minute), Nodes: []messages.IncidentNode{{NodeID: "n", State: messages.IncidentFrozen}}})
	}
	s.loaded(docs, begin)
	ids := func(known uint64) (ids []string) {
		for _, doc := range s.since(known) {
			ids = append(ids, doc.ID[len(doc.ID)-1:])
		}
		return ids
	}
	all := []string{"2", "1", "0"}
	require.Equal(t, all, ids(0))
	require.Equal(t, all, ids(1), "of another process")
	require.Equal(t, all, ids(s.begun))
	require.Equal(t, all, ids(s.revision+1), "of another process")
	first := s.revision
	require.Empty(t, ids(first))
	_, _, err := s.act(docs[1].ID, messages.IncidentPin, begin)
	require.NoError(t, err)
	require.Equal(t, []string{"1"}, ids(first))
	second := s.revision
	_, _, err = s.act(docs[0].ID, messages.IncidentPin, begin)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "0"}, ids(first))
	require.Equal(t, []string{"0"}, ids(second))
	require.Empty(t, ids(s.revision))
}
