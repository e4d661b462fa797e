package rules

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder"

	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"
)

const interval = 10 * time.Second

// lookBackTest is a window with a scrape of the series x each ten seconds, three seconds before each evaluation.
type lookBackTest struct {
	t     *testing.T
	w     *window
	begin time.Time
	e     *Evaluator
}

func newLookBackTest(t *testing.T, rules string) *lookBackTest {
	b := &lookBackTest{t: t, w: newWindow(), begin: time.Now().Truncate(time.Second).Add(-2 * time.Hour)}
	b.e = New(setOf(t, rules), b.w.storage(), Options{ScrapeInterval: interval})
	return b
}

func (b *lookBackTest) scrape(i int, samples ...recorder.Sample) {
	b.w.scrape(b.begin.Add(time.Duration(i)*interval), "node", samples...)
}

func (b *lookBackTest) evaluate(i int) []Alert {
	b.t.Helper()
	alerts, err := b.e.Evaluate(b.t.Context(), b.begin.Add(time.Duration(i)*interval+3*time.Second))
	require.NoError(b.t, err)
	return alerts
}

// active returns how many scrapes after the first one an alert has begun.
func (b *lookBackTest) active(a Alert) float64 {
	return a.ActiveAt.Sub(b.begin).Seconds() / interval.Seconds()
}

// TestFirstHeld: an alert has begun with the scrape from which on its expression has held, however seldom the rule is evaluated.
func TestFirstHeld(t *testing.T) {
	f := func(group, rule string, x []float64, want float64, firedAt int) {
		t.Helper()
		b := newLookBackTest(t, fmt.Sprintf("groups: [{name: g, %s, rules: [{alert: A, %s}]}]", group, rule))
		fired := -1
		for i, v := range x {
			b.scrape(i, gauge("x", v, "of", "a"), gauge("x", 0, "of", "b"))
			for _, a := range b.evaluate(i) {
				require.Equal(t, want, b.active(a), "at %d", i)
				require.Equal(t, "a", a.Labels["of"])
				if a.State == Firing && fired < 0 {
					fired = i
				}
			}
		}
		require.Equal(t, firedAt, fired)
	}
	// It is evaluated at 0, 6, 12, 18.
	f("interval: 1m", "expr: x > 1", []float64{0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2}, 8, 12)
	f("interval: 1m", "expr: x > 1", []float64{0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 2, 2, 2}, 10, 12)
	f("interval: 1m", "expr: x > 1", []float64{0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0}, 0, -1)
	f("interval: 1m", "expr: x > 1, for: 20s", []float64{0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2}, 8, 12)
	f("interval: 1m", "expr: x > 1, for: 50s", []float64{0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, 8, 18)
	f("interval: 1m", "expr: x > 1, labels: {of: 'a', more: '{{ $value }}'}", []float64{0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2}, 8, 12)
	f("interval: 1m, query_offset: 20s", "expr: x > 1", []float64{0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2}, 8, 12)
	f("interval: 1m", "expr: 'x > 1 and max_over_time(x[30s]) > 1'", []float64{0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2}, 8, 12)
	f("interval: 1m", "expr: 'rate(x[1m]) > 0.1'", []float64{0, 0, 0, 0, 0, 0, 0, 0, 10, 20, 30, 40, 50, 60}, 8, 12)
	// Each time: the evaluation is three seconds after the scrape.
	f("interval: 10s", "expr: x > 1", []float64{0, 0, 2, 2, 2}, 2, 2)
	f("interval: 10s", "expr: x > 1, for: 20s", []float64{0, 0, 2, 2, 2}, 2, 4)
}

// TestFirstHeldBeforeTheFirstEvaluation: a rule that is new looks back as far as it may.
func TestFirstHeldBeforeTheFirstEvaluation(t *testing.T) {
	b := newLookBackTest(t, "groups: [{name: g, rules: [{alert: A, expr: x > 1, for: 1m}]}]")
	for i := range 201 {
		b.scrape(i, gauge("x", 2, "of", "always"), gauge("x", float64(i/170), "of", "never"), gauge("x", 2*float64(i/170), "of", "later"))
	}
	alerts := b.evaluate(200)
	require.Len(t, alerts, 2)
	require.Equal(t, Firing, alerts[0].State)
	require.Equal(t, 200-maxLookBack+0.3, b.active(alerts[0]))
	require.Equal(t, 170.0, b.active(alerts[1]))
	reads := len(b.w.reads)
	require.Equal(t, 2, reads) // One for all steps.
	b.scrape(201, gauge("x", 2, "of", "always"), gauge("x", 2, "of", "later"))
	require.Equal(t, 170.0, b.active(b.evaluate(201)[1]))
	require.Equal(t, reads+1, len(b.w.reads)) // It does not look back again.
}

// TestFirstHeldBesideOthers: evaluators and whoever else queries use the same pools of samples.
func TestFirstHeldBesideOthers(t *testing.T) {
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 100 {
				b := newLookBackTest(t, "groups: [{name: g, rules: [{alert: A, expr: x > 1}]}]")
				for i := range 60 {
					b.scrape(i, gauge("x", 1), gauge("x", float64(i/7), "of", "a"), gauge("x", float64(i/20), "of", "b"))
				}
				alerts := b.evaluate(59)
				require.Equal(t, 14.0, b.active(alerts[0]))
				require.Equal(t, 40.0, b.active(alerts[1]))
			}
		})
	}
}

// TestFirstHeldOfALateSample: a scrape that took long has its samples after the evaluation at which they would have counted.
func TestFirstHeldOfALateSample(t *testing.T) {
	b := newLookBackTest(t, "groups: [{name: g, rules: [{alert: A, expr: x > 1}]}]")
	for i := range 10 {
		b.scrape(i, gauge("x", 0))
		require.Empty(t, b.evaluate(i))
	}
	require.Empty(t, b.evaluate(10))
	require.Empty(t, b.evaluate(11))
	b.scrape(10, gauge("x", 2))
	b.scrape(11, gauge("x", 2))
	require.Equal(t, 10.0, b.active(b.evaluate(12)[0]))
}

// secondReadFails is a storage that can be read once.
type secondReadFails struct {
	storage.Queryable
	reads int
}

func (s *secondReadFails) Querier(from, to int64) (storage.Querier, error) {
	if s.reads++; s.reads > 1 {
		return nil, errors.New("no more")
	}
	return s.Queryable.Querier(from, to)
}

// TestLookBackFails: the alert counts from the evaluation on, and the rule has an error.
func TestLookBackFails(t *testing.T) {
	w := newWindow()
	now := time.Now().Truncate(time.Second)
	w.scrape(now.Add(-time.Second), "node", gauge("x", 2))
	e := New(setOf(t, "groups: [{name: g, rules: [{alert: A, expr: x > 1}]}]"), &secondReadFails{Queryable: w.storage()}, Options{ScrapeInterval: interval})
	alerts, err := e.Evaluate(t.Context(), now)
	require.EqualError(t, Errors(err)[0], "rule A: find when it first held: read what the rules need: no more")
	require.Len(t, alerts, 1)
	require.Equal(t, Firing, alerts[0].State)
	require.Equal(t, now, alerts[0].ActiveAt)

	w = newWindow()
	w.scrape(now.Add(-time.Second), "node", gauge("x", 2))
	reads := 0
	read := func(ctx context.Context, sel messages.Selection, take func(int64) error) (messages.NodeAnswer, error) {
		if reads++; reads > 1 {
			panic("broken")
		}
		return w.read(ctx, sel, take)
	}
	e = New(setOf(t, "groups: [{name: g, rules: [{alert: A, expr: x > 1}]}]"), Storage(read, func() messages.Identity { return messages.Identity{} }), Options{ScrapeInterval: interval})
	alerts, err = e.Evaluate(t.Context(), now)
	require.Len(t, Errors(err), 1)
	require.Len(t, alerts, 1)
}
