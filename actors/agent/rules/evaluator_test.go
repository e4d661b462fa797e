package rules

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"fodc/messages"
	"fodc/recorder"

	"github.com/prometheus/prometheus/model/labels"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"
)

// window is what an agent has recorded, without the agent.
type window struct {
	*recorder.Window
	mu    sync.Mutex // of reads: several may be made at a time
	reads []messages.Selection
	fail  error
}

func newWindow() *window {
	return &window{Window: recorder.NewWindow(recorder.Limits{Bytes: 64 << 20, Series: 100_000})}
}

func (w *window) read(_ context.Context, sel messages.Selection, take func(int64) error) (a messages.NodeAnswer, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads = append(w.reads, sel)
	if w.fail != nil {
		return a, w.fail
	}
	s := w.Snapshot(sel)
	for blocks := s.Next(1 << 20); len(blocks) > 0; blocks = s.Next(1 << 20) {
		for i := range blocks {
			if err := take(int64(blocks[i].MemoryBytes())); err != nil {
				return a, err
			}
		}
		a.Blocks = append(a.Blocks, blocks...)
	}
	return a, nil
}

func (w *window) storage() storage.Queryable {
	return Storage(w.read, func() messages.Identity { return messages.Identity{NodeID: "data-0", Role: "data", PodName: "data-0"} })
}

// scrape records samples as those of one scrape of a target.
func (w *window) scrape(at time.Time, target string, samples ...recorder.Sample) {
	w.Append(recorder.Target{Name: target}, recorder.Scrape{At: at, Samples: samples})
}

func gauge(name string, value float64, labels ...string) recorder.Sample {
	s := recorder.Sample{Name: name, Type: messages.TypeGauge, Value: value}
	for i := 0; i < len(labels); i += 2 {
		s.Labels = append(s.Labels, messages.Label{Name: labels[i], Value: labels[i+1]})
	}
	return s
}

func setOf(t *testing.T, text string) *Set {
	t.Helper()
	rules, err := Parse("test.yml", []byte(text))
	require.NoError(t, err)
	return &Set{rules: rules}
}

const limits = `
groups:
  - name: g
    rules:
      - alert: High
        expr: x > 10
        for: 20s
        labels: {severity: critical, team: "t-{{ $labels.of }}"}
        annotations: {summary: "x of {{ $labels.of }} on {{ $labels.node_id }} is {{ $value | humanize }}", description: "look at it"}
`

func TestAlert(t *testing.T) {
	w := newWindow()
	begin := time.Now().Truncate(time.Second).Add(-time.Minute)
	e := New(setOf(t, limits), w.storage(), Options{})
	at := func(seconds int, x float64) []Alert {
		t.Helper()
		now := begin.Add(time.Duration(seconds) * time.Second)
		w.scrape(now, "node", gauge("x", x, "of", "a"))
		alerts, err := e.Evaluate(t.Context(), now)
		require.NoError(t, err)
		return alerts
	}
	require.Empty(t, at(0, 1))
	want := Alert{Rule: "High", Severity: SeverityCritical, State: Pending, ActiveAt: begin.Add(10 * time.Second), Value: 11,
		Labels:  map[string]string{"of": "a", "team": "t-a", "node_id": "data-0", "node_role": "data", "pod_name": "data-0"},
		Summary: "x of a on data-0 is 11", Description: "look at it"}
	require.Equal(t, []Alert{want}, at(10, 11))
	require.Equal(t, []Alert{want}, at(20, 11))
	want.State, want.FiredAt, want.Value, want.Summary = Firing, begin.Add(30*time.Second), 2000, "x of a on data-0 is 2k"
	require.Equal(t, []Alert{want}, at(30, 2000))
	require.Equal(t, Stats{Rules: 1, Firing: 1, Evaluations: 4, Rounds: 4}, without(e.Stats()))
	want.State = Resolved
	require.Equal(t, []Alert{want}, at(40, 1))
	require.Empty(t, at(50, 1))
	require.Equal(t, Stats{Rules: 1, Evaluations: 6, Rounds: 6}, without(e.Stats()))
}

func without(s Stats) Stats {
	s.Seconds, s.Last = 0, 0
	return s
}

func TestAllRulesShareOneRead(t *testing.T) {
	w := newWindow()
	now := time.Now().Truncate(time.Second)
	w.scrape(now.Add(-time.Minute), "node", gauge("x", 1), gauge("y", 1), gauge("z", 1))
	w.scrape(now, "node", gauge("x", 2), gauge("y", 2), gauge("z", 2))
	e := New(setOf(t, `
groups:
  - name: g
    rules:
      - {alert: A, expr: x + y > 1}
      - {alert: B, expr: "max_over_time(x[5m]) > 1"}
      - {alert: Gated, expr: "z > 2 and y > 1"}
      - {alert: C, expr: "max_over_time((x > 0)[3m:1m]) > 0"}
`), w.storage(), Options{})
	alerts, err := e.Evaluate(t.Context(), now)
	require.NoError(t, err)
	require.Len(t, alerts, 3)
	require.Len(t, w.reads, 1)
	require.Equal(t, []string{"x", "y", "z"}, w.reads[0].Names)
}

func TestFailingRuleCostsItselfAlone(t *testing.T) {
	w := newWindow()
	now := time.Now().Truncate(time.Second)
	w.scrape(now, "node", gauge("x", 2, "of", "a"), gauge("x", 3, "of", "b"))
	e := New(setOf(t, `
groups:
  - name: g
    rules:
      - {alert: Twice, expr: "x * on (node_id) x"}
      - {alert: Good, expr: x > 1}
  - name: limited
    limit: 1
    rules:
      - {alert: Many, expr: x > 1}
`), w.storage(), Options{})
	alerts, err := e.Evaluate(t.Context(), now)
	require.Len(t, alerts, 2)
	require.Equal(t, "Good", alerts[0].Rule)
	failed := Errors(err)
	require.Len(t, failed, 2)
	require.Equal(t, "Twice", failed[0].Rule)
	require.ErrorContains(t, failed[1], "rule Many: exceeded limit of 1 with 2 alerts")
	require.Equal(t, Stats{Rules: 3, Firing: 2, Evaluations: 3, Failures: 2, Rounds: 1}, without(e.Stats()))

	w.fail = errors.New("the recorder is gone")
	_, err = e.Evaluate(t.Context(), now.Add(time.Second))
	require.ErrorContains(t, err, "read what the rules need: the recorder is gone")
	require.Empty(t, Errors(err))
	require.Equal(t, Stats{Rules: 3, Firing: 2, Evaluations: 6, Failures: 5, Rounds: 2}, without(e.Stats()))
	w.fail = fmt.Errorf("the recorder: %w", ErrNotReady)
	_, err = e.Evaluate(t.Context(), now.Add(time.Second))
	require.ErrorIs(t, err, ErrNotReady)
	require.Equal(t, Stats{Rules: 3, Firing: 2, Evaluations: 6, Failures: 5, Rounds: 3}, without(e.Stats()), "nothing has failed")
	w.fail = nil
	alerts, _ = e.Evaluate(t.Context(), now.Add(2*time.Second))
	require.Len(t, alerts, 2)
	require.Equal(t, now, alerts[0].ActiveAt)
}

func TestPanicIsAnError(t *testing.T) {
	w := newWindow()
	now := time.Now()
	set := setOf(t, limits)
	set.rules[0].Labels = map[string]string{"x": `{{ index "" 7 }}`}
	w.scrape(now, "node", gauge("x", 20))
	e := New(set, w.storage(), Options{})
	alerts, err := e.Evaluate(t.Context(), now)
	require.NoError(t, err) // The text says what is wrong with it.
	require.Contains(t, alerts[0].Labels["x"], "error expanding template")

	e.rules[0].eval = promrules.NewAlertingRule("High", nil, 0, 0, labels.EmptyLabels(), labels.EmptyLabels(), labels.EmptyLabels(), "", false, quiet)
	_, err = e.Evaluate(t.Context(), now.Add(time.Second))
	require.ErrorContains(t, Errors(err)[0], "panic: runtime error")
}

func TestReload(t *testing.T) {
	w := newWindow()
	now := time.Now().Truncate(time.Second).Add(-time.Hour)
	e := New(setOf(t, limits), w.storage(), Options{})
	step := func() []Alert {
		now = now.Add(10 * time.Second)
		w.scrape(now, "node", gauge("x", 20))
		alerts, err := e.Evaluate(t.Context(), now)
		require.NoError(t, err)
		return alerts
	}
	first := step()[0].ActiveAt
	more := strings.ReplaceAll(limits, "      - alert: High", "      - {alert: Other, expr: x > 1}\n      - alert: High")
	e.Reload(setOf(t, more))
	step()
	alerts := step()
	require.Len(t, alerts, 2)
	require.Equal(t, Firing, alerts[1].State)
	require.Equal(t, first, alerts[1].ActiveAt)

	e.Reload(setOf(t, strings.ReplaceAll(limits, "x > 10", "x > 11")))
	alerts = step()
	require.Len(t, alerts, 3)
	require.Equal(t, Pending, alerts[0].State)
	require.Equal(t, now, alerts[0].ActiveAt)
	require.Equal(t, "Other", alerts[1].Rule)
	require.Equal(t, Resolved, alerts[1].State)
	require.Equal(t, Resolved, alerts[2].State)
	require.Len(t, step(), 1)
}

func TestIntervalOfAGroup(t *testing.T) {
	w := newWindow()
	now := time.Now().Truncate(time.Second).Add(-time.Hour)
	e := New(setOf(t, "groups: [{name: g, interval: 1m, rules: [{alert: A, expr: x > 1}]}]"), w.storage(), Options{})
	for i := range 13 {
		at := now.Add(time.Duration(i) * 10 * time.Second)
		w.scrape(at, "node", gauge("x", 2))
		_, err := e.Evaluate(t.Context(), at)
		require.NoError(t, err)
	}
	require.Equal(t, 3, e.Stats().Evaluations)
	require.Equal(t, 13, e.Stats().Rounds)
}

func TestTextsAreBounded(t *testing.T) {
	w := newWindow()
	now := time.Now()
	w.scrape(now, "node", gauge("x", 20, "of", strings.Repeat("ä", 4000)))
	set := setOf(t, limits)
	set.rules[0].Annotations = map[string]string{"description": strings.Repeat("{{ $labels.of }}", 3)}
	alerts, err := New(set, w.storage(), Options{}).Evaluate(t.Context(), now)
	require.NoError(t, err)
	for _, text := range []string{alerts[0].Summary, alerts[0].Description} {
		require.LessOrEqual(t, len(text), messages.MaxIncidentText)
		require.True(t, utf8.ValidString(text))
	}
	require.LessOrEqual(t, len(alerts[0].Labels["of"]), maxLabelBytes)
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	s, err := Load(true, nil)
	require.NoError(t, err)
	builtin := len(s.Rules())
	require.NotZero(t, builtin)

	file := write("a.yml", "groups: [{name: g, labels: {severity: info}, rules: [{alert: ClockStepped, expr: x > 1}, {alert: Mine, expr: y > 1}]}]")
	s, err = Load(true, []string{filepath.Join(dir, "*.yml"), file})
	require.NoError(t, err)
	require.Equal(t, []string{file}, s.Files())
	require.Len(t, s.Rules(), builtin+1)
	require.Equal(t, SeverityInfo, s.Rules()[builtin].Severity())
	s, err = Load(false, []string{file, filepath.Join(dir, "*.yaml")})
	require.NoError(t, err)
	require.Len(t, s.Rules(), 2)
	require.Equal(t, 1, s.Rules()[1].Line)

	f := func(text, want string) {
		t.Helper()
		name := write("bad.yaml", text)
		_, err := Load(true, []string{name})
		require.EqualError(t, err, strings.ReplaceAll(want, "FILE", name))
	}
	f("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: sum(\n", `FILE:5:11: group "g", rule 1, "A": could not parse expression: 1:5: parse error: unclosed left parenthesis`)
	f("groups:\n- name: g\n  rules:\n  - alert: A\n    exp: x\n", "FILE:5: field exp not found in type rulefmt.Rule")
	f("groups:\n- name: g\n  rules:\n  - record: a\n    expr: x\n", `FILE:4: group "g", rule 1, "a": recording rules are not evaluated: only alerts are allowed`)
	f("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: x[5m]\n", `FILE:4: group "g", rule 1, "A": the expression is a range vector: it must be an instant vector or a scalar`)
	f("groups: {", "FILE:1: did not find expected node content")
	_, err = Load(false, []string{filepath.Join(dir, "none.yml")})
	require.EqualError(t, err, filepath.Join(dir, "none.yml")+": file does not exist")
	_, err = Load(false, []string{dir})
	require.EqualError(t, err, dir+": it is no regular file")
}
