package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"fodc/actors/agent/capture"
	"fodc/actors/agent/rules"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// An incident from its opening to its end.
func TestIncident(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		w.run()
		w.pass(15 * time.Minute)
		require.Empty(t, w.list())

		w.node.serve(page("7", "1"), nil)
		w.pass(25 * time.Second)
		doc := w.one()
		require.Equal(t, messages.IncidentOpen, doc.State)
		require.Equal(t, "memory is at 7", doc.Summary)
		require.Equal(t, "critical", doc.Severity)
		require.ElementsMatch(t, []string{"profiles/heap.pb.gz", "process/status.txt"}, files(doc))
		require.Equal(t, doc.FirstOccurrence.Add(-10*time.Minute), doc.From)
		require.Len(t, w.lines("an incident begins: memory is at 7"), 1)

		w.node.serve(page("1", "1"), nil)
		w.pass(3 * time.Minute)
		doc = w.one()
		require.Equal(t, messages.IncidentFrozen, doc.State)
		require.Empty(t, doc.Nodes[0].Missing)
		require.Equal(t, doc.LastFiring.Add(2*time.Minute), doc.To)
		require.ElementsMatch(t, []string{"profiles/heap.pb.gz", "process/status.txt", "logs/node.log", "window.journal", "events.json"}, files(doc))
		require.Equal(t, "begin\nend\n", string(w.content(doc, "logs/node.log")))
		seconds := w.window(doc)
		require.GreaterOrEqual(t, len(seconds), 72)
		require.GreaterOrEqual(t, seconds[0], int(doc.From.Sub(w.start).Seconds()))
		require.LessOrEqual(t, seconds[len(seconds)-1], int(doc.To.Sub(w.start).Seconds()))
		var events []messages.IncidentEvent
		require.NoError(t, json.Unmarshal(w.content(doc, "events.json"), &events))
		require.Contains(t, kinds(events), "rule")
		require.Contains(t, kinds(events), "capture")
		require.Contains(t, kinds(doc.Timeline), "incident")
		require.Len(t, w.lines("the evidence of incident"), 1)
		v := w.latest("fodc_incidents_opened_total")
		require.Equal(t, 1.0, v[`rule="MemoryHigh"`])
	})
}

func kinds(events []messages.IncidentEvent) (all []string) {
	for _, e := range events {
		all = append(all, e.Kind)
	}
	return all
}

// latest returns the values of a family, by the labels.
func (w *incidentsWorld) latest(name string) map[string]float64 {
	w.t.Helper()
	w.pass(w.cfg.ScrapeInterval)
	blocks, err := w.agent.Latest(w.t.Context(), messages.Selection{Names: []string{name}})
	require.NoError(w.t, err)
	values := map[string]float64{}
	for _, b := range blocks {
		for f := range b.Each() {
			for i := range f.Series {
				s := f.At(i)
				values[string(s.AllLabels())] = s.Values[len(s.Values)-1]
			}
		}
	}
	return values
}

// A rule that flaps for an hour has one incident.
func TestIncidentOfFlappingRule(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		w.run()
		w.pass(time.Minute)
		for range 60 {
			w.node.serve(page("7", "1"), nil)
			w.pass(20 * time.Second)
			w.node.serve(page("1", "1"), nil)
			w.pass(40 * time.Second)
		}
		doc := w.one()
		require.Equal(t, messages.IncidentFrozen, doc.State)
		require.Equal(t, 60, doc.Rules[0].Firings)
	})
}

// A capture that hangs delays neither scrapes nor other captures, and is named.
func TestIncidentWithCaptureThatHangs(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		release := make(chan struct{})
		defer close(release)
		w.steps = append([]capture.Step{{What: "profile/mutex", Path: "profiles/mutex.pb.gz", Limit: 100, Timeout: 5 * time.Second, Run: func(context.Context, io.Writer) error {
			<-release
			return nil
		}}, {What: "kernellog", Path: "logs/kernel.log", Limit: 100, Timeout: 5 * time.Second, Run: func(context.Context, io.Writer) error {
			panic("a bug")
		}}}, w.steps...)
		w.run()
		w.pass(time.Minute)
		w.node.serve(page("7", "1"), nil)
		w.pass(25 * time.Second)
		require.ElementsMatch(t, []string{"profiles/heap.pb.gz", "process/status.txt"}, files(w.one()))
		w.node.serve(page("1", "1"), nil)
		w.pass(4 * time.Minute)
		doc := w.one()
		require.Equal(t, messages.IncidentFrozen, doc.State)
		require.Len(t, doc.Nodes[0].Missing, 2)
		require.Contains(t, files(doc), "window.journal")
		w.requireOnTime()
		require.Equal(t, 1.0, w.latest("fodc_incident_captures_failed_total")[`what="profile/mutex"`])
	})
}

// An agent that is killed in the middle of an incident goes on with it, from its journal.
func TestIncidentGoesOnAfterKill(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		w.run()
		w.pass(11 * time.Minute)
		w.node.serve(page("7", "1"), nil)
		w.pass(50 * time.Second)
		open := w.one()
		w.kill()
		w.pass(30 * time.Second)
		w.run()
		w.pass(time.Minute)
		w.node.serve(page("1", "1"), nil)
		w.pass(4 * time.Minute)
		doc := w.one()
		require.Equal(t, open.ID, doc.ID)
		require.Equal(t, messages.IncidentFrozen, doc.State)
		require.Empty(t, doc.Nodes[0].Missing)
		require.Equal(t, 1, doc.Rules[0].Firings)
		require.ElementsMatch(t, []string{"profiles/heap.pb.gz", "process/status.txt", "logs/node.log", "window.journal", "events.json"}, files(doc))
		require.Less(t, w.window(doc)[0], 120)
		require.Contains(t, kinds(doc.Timeline), "agent")
	})
}

// An agent and its node that are killed together have one incident when they come back, by a built-in rule, with what was
// recorded before. After a stop there is none.
func TestIncidentOfNodeThatEndedWithItsAgent(t *testing.T) {
	f := func(killed bool) {
		t.Helper()
		inIncidents(t, func(t *testing.T, w *incidentsWorld) {
			started := func(at time.Time) string {
				return fmt.Sprintf("%s# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %d\n", page("1", "1"), at.Unix())
			}
			var err error
			w.cfg.Incidents.Rules, err = rules.Load(true, nil)
			require.NoError(t, err)
			w.node.serve(started(w.start.Add(-time.Hour)), nil)
			w.run()
			w.pass(20 * time.Minute)
			if killed {
				w.kill()
			} else {
				w.stop()
			}
			ended := int(time.Since(w.start).Seconds())
			w.pass(10 * time.Minute)
			w.node.serve(started(time.Now()), nil)
			w.run()
			w.pass(20 * time.Minute)
			if !killed {
				require.Empty(t, w.list())
				return
			}
			doc := w.one()
			require.Equal(t, "ProcessRestarted", doc.Rules[0].Rule)
			require.Len(t, doc.Rules, 1)
			require.Equal(t, messages.IncidentFrozen, doc.State)
			require.InDelta(t, ended-10*60, w.window(doc)[0], 20)
			require.Contains(t, kinds(doc.Timeline), "restart")
			require.Contains(t, kinds(doc.Timeline), "agent")
		})
	}
	f(true)
	f(false)
}

// Time that is over is frozen from the journal.
func TestFreezeOfThePast(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		w.run()
		w.pass(30 * time.Minute)
		source := newIncidentSource(w.sys, w.agent.incidents)
		q := messages.FreezeQuestion{ID: "01JDZX3M9V5T6Q2W8R4Y7B1N0D", Kind: messages.IncidentContext, FirstOccurrence: w.start.Add(10 * time.Minute),
			From: w.start.Add(5 * time.Minute), To: w.start.Add(15 * time.Minute), Reason: "n2: memory"}
		ask := func(q messages.Question) (parts []messages.Part, err error) {
			err = source.Answer(t.Context(), q, func(p messages.Part) error { parts = append(parts, p); return nil })
			return parts, err
		}
		for range 2 {
			parts, err := ask(q)
			require.NoError(t, err)
			require.Len(t, parts, 1)
			require.Equal(t, q.ID, parts[0].(*messages.IncidentRecord).Incident.ID)
			w.pass(time.Minute)
		}
		doc := w.one()
		require.Equal(t, messages.IncidentFrozen, doc.State)
		require.Equal(t, messages.IncidentContext, doc.Nodes[0].Kind)
		require.NotContains(t, files(doc), "profiles/ramp")
		seconds := w.window(doc)
		require.Len(t, seconds, 60)

		parts, err := ask(messages.IncidentsQuestion{})
		require.NoError(t, err)
		require.Len(t, parts, 2)
		parts, err = ask(messages.IncidentsQuestion{Known: map[string]uint64{"a": uint64(parts[1].(messages.IncidentRevision))}})
		require.NoError(t, err)
		require.Len(t, parts, 1)

		whole := w.content(doc, windowFile)
		var got []byte
		for at := int64(0); at < int64(len(whole)); at += 1000 {
			parts, err := ask(messages.EvidenceQuestion{IncidentID: doc.ID, Path: doc.Nodes[0].Dir + "/" + windowFile, Offset: at, Length: 1000})
			require.NoError(t, err)
			for _, p := range parts {
				got = append(got, p.(*messages.ProfileChunk).Data...)
			}
		}
		require.Equal(t, whole, got)
		_, err = ask(messages.EvidenceQuestion{IncidentID: doc.ID, Path: "nodes/n1/../../x"})
		require.Error(t, err)

		parts, err = ask(messages.IncidentActionQuestion{IncidentID: doc.ID, Action: messages.IncidentPin})
		require.NoError(t, err)
		require.True(t, parts[0].(*messages.IncidentRecord).Incident.Pinned)
		parts, err = ask(messages.IncidentActionQuestion{IncidentID: doc.ID, Action: messages.IncidentDelete})
		require.NoError(t, err)
		require.IsType(t, messages.IncidentRevision(0), parts[0])
		w.pass(time.Second)
		require.Empty(t, w.list())
		_, err = w.agent.Incident(t.Context(), doc.ID)
		require.Error(t, err)
		list, err := w.evidence.List(".")
		require.NoError(t, err)
		require.Empty(t, list)
	})
}

// What the journal has of an incident's time stays until it is frozen.
func TestIncidentPinsTheJournal(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		w.run()
		w.pass(time.Minute)
		pins := func() (n int) {
			list, err := w.disk.List()
			require.NoError(t, err)
			for _, f := range list {
				if strings.HasSuffix(f.Name, ".incident") {
					n++
				}
			}
			return n
		}
		w.node.serve(page("7", "1"), nil)
		w.pass(25 * time.Second)
		require.NotZero(t, pins())
		w.node.serve(page("1", "1"), nil)
		w.pass(4 * time.Minute)
		require.Zero(t, pins())

		w.node.serve(page("1", "7"), nil)
		w.pass(25 * time.Second)
		require.NotZero(t, pins())
		w.kill()
		w.cfg.Incidents = nil
		w.run()
		w.pass(time.Minute)
		require.Zero(t, pins(), "nothing needs it")
	})
}

// Without a directory, or with one that fails, the evidence is in memory, and says so.
func TestIncidentWithoutDisk(t *testing.T) {
	for name, prepare := range map[string]func(w *incidentsWorld){
		"none": func(w *incidentsWorld) { w.cfg.Incidents.FS, w.cfg.Journal = nil, nil },
		"broken from the start": func(w *incidentsWorld) {
			w.evidence.break_(errDisk)
		},
		"hangs": func(w *incidentsWorld) {
			w.evidence.hangs = make(chan struct{})
			hangs := w.evidence.hangs
			t.Cleanup(func() { _ = hangs })
		},
	} {
		t.Run(name, func(t *testing.T) {
			inIncidents(t, func(t *testing.T, w *incidentsWorld) {
				prepare(w)
				w.run()
				w.pass(11 * time.Minute)
				w.node.serve(page("7", "1"), nil)
				w.pass(25 * time.Second)
				w.node.serve(page("1", "1"), nil)
				w.pass(4 * time.Minute)
				doc := w.one()
				require.Equal(t, messages.IncidentFrozen, doc.State)
				require.Equal(t, "storage", doc.Nodes[0].Missing[0].What)
				require.Contains(t, files(doc), "window.journal")
				require.Greater(t, len(w.window(doc)), 70)
				h, err := w.agent.Health(t.Context())
				require.NoError(t, err)
				require.Equal(t, messages.IncidentsInMemory, h.Incidents.Storage)
				if w.evidence.hangs != nil {
					close(w.evidence.hangs)
					w.evidence.mu.Lock()
					w.evidence.hangs = nil
					w.evidence.mu.Unlock()
				}
			})
		})
	}
}

// A bad file keeps the rules of before.
func TestReloadOfRules(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		w.run()
		w.pass(time.Minute)
		require.NoError(t, os.WriteFile(w.rules, []byte("groups: [{name: x, rules: [{alert: A, expr: 'sum('}]}]"), 0o600))
		require.ErrorContains(t, w.agent.ReloadRules(t.Context()), "rules.yaml")
		require.Empty(t, w.lines("the rules of before stay in force"), "whoever has asked logs it")
		require.Equal(t, 0.0, w.latest("fodc_rules_last_reload_successful")[""])
		require.NoError(t, os.WriteFile(w.rules, []byte("groups: [{name: x, rules: [{alert: A, expr: 'max('}]}]"), 0o600))
		w.pass(40 * time.Second)
		require.Len(t, w.lines("the rules of before stay in force"), 1)
		h, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		require.Equal(t, 3, h.Incidents.Rules.Rules)
		require.False(t, h.Incidents.Rules.Loaded)

		require.NoError(t, os.WriteFile(w.rules, []byte("groups: [{name: x, rules: [{alert: A, expr: 'g > 100'}]}]"), 0o600))
		w.pass(40 * time.Second)
		h, err = w.agent.Health(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, h.Incidents.Rules.Rules)
		require.True(t, h.Incidents.Rules.Loaded)
		require.NoError(t, w.agent.ReloadRules(t.Context()))
	})
}

// Somebody wants the evidence of now.
func TestIncidentOnRequest(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		captured := false
		w.cfg.Incidents.endSteps = func(c capture.Config) []capture.Step {
			captured = c.Have("process/status.txt") && !c.Have("process/threads.txt")
			return nil
		}
		w.run()
		w.pass(5 * time.Minute)
		_, err := w.agent.RequestIncident(t.Context(), messages.IncidentOrder{Reason: "slow", Nodes: []string{"other"}})
		require.Error(t, err)
		doc, err := w.agent.RequestIncident(t.Context(), messages.IncidentOrder{Reason: "slow", By: "me", Before: 2 * time.Minute, Profiles: true})
		require.NoError(t, err)
		w.pass(20 * time.Second)
		frozen, err := w.agent.Incident(t.Context(), doc.ID)
		require.NoError(t, err)
		require.Equal(t, messages.IncidentFrozen, frozen.State)
		require.Equal(t, "me", frozen.RequestedBy)
		require.True(t, captured, "the freeze knows what was captured just before")
		require.Contains(t, files(frozen), "profiles/heap.pb.gz")
		require.NoError(t, w.agent.ActOnIncident(t.Context(), doc.ID, messages.IncidentSeen))
		require.NoError(t, w.agent.ActOnIncident(t.Context(), doc.ID, messages.IncidentDelete))
	})
}
