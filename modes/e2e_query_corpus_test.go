//go:build e2e && linux

package modes_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

// atOnceQueries is how many queries of the corpus are asked at a time.
const atOnceQueries = 4

// maxShownDifferences is how many queries that differ are shown.
const maxShownDifferences = 20

// difference says where two answers to an evaluation of a query differ.
type difference func(q corpusQuery, e evaluation, want, got *queryAnswer) string

// compareQueries asks both for each evaluation of each query, and reports the differences, and the queries that have no data
// although they should. It returns how many queries were equal, and had data.
func (c *queryCluster) compareQueries(t *testing.T, queries []corpusQuery, want, got queryAPI, evaluations []evaluation, differ difference) int {
	t.Helper()
	var equal, differing atomic.Int64
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnceQueries)
	for _, q := range queries {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			switch problem := c.compareQuery(q, want, got, evaluations, differ); {
			case problem != "":
				if differing.Add(1) <= maxShownDifferences {
					t.Errorf("%s: %s", q, problem)
				}
			case !q.Empty && !q.Error:
				equal.Add(1)
			}
		})
	}
	all.Wait()
	if n := differing.Load() - maxShownDifferences; n > 0 {
		t.Errorf("%d more queries differ", n)
	}
	return int(equal.Load())
}

func (c *queryCluster) compareQuery(q corpusQuery, want, got queryAPI, evaluations []evaluation, differ difference) string {
	samples, errors := 0, 0
	for _, e := range evaluations {
		w, err := e.of(want, c.words(q))
		if err != nil {
			return err.Error()
		}
		g, err := e.of(got, c.words(q))
		if err != nil {
			return err.Error()
		}
		if d := differ(q, e, w, g); d != "" {
			return fmt.Sprintf("%s: %s", e, d)
		}
		samples += w.samples()
		switch failed := w.Status != "success"; {
		case failed && q.Error:
			errors++
		case failed != (q.Instant && e.path == "query_range"):
			return fmt.Sprintf("%s: %s %s", e, w.Status, w.Error)
		}
	}
	switch {
	case q.Error && errors == 0:
		return "no error"
	case !q.Error && (samples == 0) != q.Empty:
		return fmt.Sprintf("%d samples", samples)
	}
	return ""
}

// compareAgent compares an agent's own query API with the reference, for queries of its node alone.
func (c *queryCluster) compareAgent(t *testing.T, id string, differ difference) {
	var own []corpusQuery
	p := parser.NewParser(parser.Options{})
	for _, q := range readCorpus(t) {
		expr, err := p.ParseExpr(c.words(q))
		if err != nil {
			continue
		}
		selectors, ofNode := 0, 0
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			if s, ok := n.(*parser.VectorSelector); ok {
				selectors++
				if slices.ContainsFunc(s.LabelMatchers, func(m *labels.Matcher) bool { return m.String() == fmt.Sprintf("node_id=%q", id) }) {
					ofNode++
				}
			}
			return nil
		})
		if selectors > 0 && selectors == ofNode {
			own = append(own, q)
		}
	}
	require.NotEmpty(t, own)
	equal := c.compareQueries(t, own, c.reference, queryAPI{c.agents[id].addr("agent")}, c.evaluations(), differ)
	t.Logf("%d queries with data are equal", equal)
}

// TestE2EQueryCorpus compares the proxy's query API with a Prometheus that has scraped the proxy.
func TestE2EQueryCorpus(t *testing.T) {
	c := startQueryCluster(t)
	c.await(t)
	proxy := queryAPI{c.proxy.addr("http")}
	v := &versions{needed: map[string]bool{}}
	live := c.askNow(t, proxy, liveQueries(t))
	c.awaitReference(t, time.Now())
	require.NoError(t, c.read(t))
	c.complete(t)
	c.restartAgents(t)

	t.Run("now", func(t *testing.T) { c.compareNow(t, proxy, live, v.difference) })
	t.Run("then", func(t *testing.T) {
		began := time.Now()
		equal := c.compareQueries(t, readCorpus(t), c.reference, proxy, c.evaluations(), v.difference)
		t.Logf("%d queries with data are equal, in %s", equal, time.Since(began))
		require.GreaterOrEqual(t, equal-len(resultExceptions), 300)
		v.requireNeeded(t)
	})
	t.Run("agent", func(t *testing.T) { c.compareAgent(t, "data-1", v.difference) })
	t.Run("series", func(t *testing.T) { c.compareSeries(t, c.reference, proxy) })
	t.Run("remote read", func(t *testing.T) {
		c.requireRemoteRead(t, proxy, prompb.ReadRequest_SAMPLES)
		c.requireRemoteRead(t, proxy, prompb.ReadRequest_STREAMED_XOR_CHUNKS)
		began := time.Now()
		equal := c.compareQueries(t, readCorpus(t), c.reference, startReader(t, proxy), c.evaluations()[1:], func(q corpusQuery, e evaluation, want, got *queryAnswer) string {
			return differenceOfAnswers(want, got, e.ordered(q))
		})
		t.Logf("%d queries with data are equal, in %s", equal, time.Since(began))
	})
	t.Run("random", func(t *testing.T) { c.compareRandom(t, startTwin(t, c.reference), proxy) })
	t.Run("promtool", func(t *testing.T) {
		c.comparePromtool(t, c.reference, proxy)
		requireDebugMetrics(t, proxy)
	})
}
