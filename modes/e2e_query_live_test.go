//go:build e2e && linux

package modes_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// liveAnswer is what a query at the time of its request was answered.
type liveAnswer struct {
	query corpusQuery
	evaluation
	answer *queryAnswer
}

// liveTime waits until agents have neither just scraped nor are about to, and returns the time.
func liveTime() time.Time {
	for {
		now := time.Now().Truncate(time.Millisecond)
		phase := now.Sub(now.Truncate(time.Second))
		switch {
		case phase < queryPhase:
			<-time.After(queryPhase - phase)
		case phase > 950*time.Millisecond:
			<-time.After(time.Second - phase)
		default:
			return now
		}
	}
}

// askNow asks for queries at the present time: this is answered with the newest samples, and not from a window.
func (c *queryCluster) askNow(t *testing.T, p queryAPI, queries []corpusQuery) []liveAnswer {
	t.Helper()
	answers := make([]liveAnswer, len(queries))
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnceQueries)
	for i, q := range queries {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			e := evaluation{"query", url.Values{"time": {unixSeconds(liveTime())}}}
			a, err := e.of(p, c.words(q))
			if err != nil {
				a = &queryAnswer{Error: err.Error()}
			}
			answers[i] = liveAnswer{q, e, a}
		})
	}
	all.Wait()
	return answers
}

// compareNow compares these answers with those of the reference, which has the samples by now. If the machine is busy, an
// agent may still have been scraping at the time of a query: so a query that differs is asked again.
func (c *queryCluster) compareNow(t *testing.T, p queryAPI, answers []liveAnswer, differ difference) {
	t.Helper()
	const attempts = 4
	for attempt := 1; len(answers) > 0; attempt++ {
		var again []corpusQuery
		for _, a := range answers {
			want, err := a.of(c.reference, c.words(a.query))
			require.NoError(t, err)
			if d := differ(a.query, a.evaluation, want, a.answer); d != "" {
				again = append(again, a.query)
				if attempt == attempts {
					t.Errorf("%s: %s: %s", a.query, a, d)
				}
			}
		}
		if attempt == attempts || len(again) == 0 {
			return
		}
		t.Logf("asked again: %q", again)
		answers = c.askNow(t, p, again)
		c.awaitReference(t, time.Now())
	}
}

// awaitReference waits until the reference has scraped all that was recorded up to a time.
func (c *queryCluster) awaitReference(t *testing.T, upTo time.Time) {
	t.Helper()
	within(t, patience, "a scrape by the reference", func() error {
		a, err := c.reference.ask("query", url.Values{"query": {"min(timestamp(fodc_node_up))"}})
		if err != nil || len(a.series) != 1 {
			return fmt.Errorf("%v, %d series", err, len(a.series))
		}
		if newest := time.UnixMilli(int64(a.series[0].samples[0].value * 1000)); newest.Before(upTo.Truncate(time.Second)) {
			return fmt.Errorf("the newest sample is of %s", newest)
		}
		return nil
	})
}

// liveQueries are those of the corpus that need nothing of the future.
func liveQueries(t *testing.T) []corpusQuery {
	return slices.DeleteFunc(readCorpus(t), func(q corpusQuery) bool { return q.Error || strings.Contains(q.Text, "offset -") })
}
