package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// sampleOf returns the value of a sample by name.
func sampleOf(t *testing.T, samples []recorder.Sample, name string) float64 {
	t.Helper()
	i := slices.IndexFunc(samples, func(r recorder.Sample) bool { return r.Name == name })
	require.GreaterOrEqual(t, i, 0, "no sample %s", name)
	return samples[i].Value
}

// scrapes returns what a scraper has sent to the recorder that the probe stands for.
func scrapes(p *actorstest.Probe) []scraped {
	var all []scraped
	for _, m := range p.Messages() {
		all = append(all, m.(scraped))
	}
	return all
}

func spawnScraper(sys *actors.System, to *actors.PID, fetch func(context.Context, string) ([]byte, string, error)) *actors.PID {
	return sys.Spawn("scraper", restarts, func() actors.Actor {
		return fragile{newScraper(sys, to, Target{URL: "http://node/metrics", ContainerName: "db"},
			Config{ScrapeInterval: 10 * time.Second}, withoutBuffer(fetch))}
	})
}

func TestScraperSchedule(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := actorstest.NewProbe(sys)
		node := &fakeEndpoint{page: testPage}
		start := time.Now()
		spawnScraper(sys, rec.PID, node.fetch)
		synctest.Wait()
		first := scrapes(rec)
		require.Len(t, first, 1, "at once")
		require.Equal(t, start, first[0].scrape.At)
		require.True(t, first[0].node)
		require.Equal(t, recorder.Target{Name: "http://node/metrics",
			Labels: []messages.Label{{Name: "container_name", Value: "db"}}}, first[0].target)
		require.Equal(t, 2, first[0].scrape.Page.Samples())
		for _, r := range first[0].scrape.Samples {
			require.Equal(t, messages.Label{Name: "endpoint", Value: "http://node/metrics"}, r.Labels[0])
			require.NotEmpty(t, r.Help)
			require.Equal(t, strings.HasSuffix(r.Name, "_total"), r.Type == messages.TypeCounter, r.Name)
		}

		time.Sleep(time.Minute)
		rest := scrapes(rec)
		require.Len(t, rest, 6)
		s := newSchedule("http://node/metrics", 10*time.Second)
		for _, m := range rest {
			require.Equal(t, s.before(m.scrape.At), m.scrape.At, "on the schedule")
		}
	})
}

// The page is handed over and comes back: it is never with both.
func TestScraperPageComesBack(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := actorstest.NewProbe(sys)
		node := &fakeEndpoint{page: testPage}
		pid := spawnScraper(sys, rec.PID, node.fetch)
		time.Sleep(10 * time.Second)
		got := scrapes(rec)
		require.Len(t, got, 2)
		require.NotSame(t, got[0].scrape.Page, got[1].scrape.Page, "the first one is still the recorder's")
		sys.Send(pid, recorded{page: got[1].scrape.Page})
		time.Sleep(10 * time.Second)
		require.Same(t, got[1].scrape.Page, scrapes(rec)[0].scrape.Page)
	})
}

func TestScraperFailures(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := actorstest.NewProbe(sys)
		node := &fakeEndpoint{}
		pid := spawnScraper(sys, rec.PID, node.fetch)
		next := func() (scraped, messages.TargetHealth) {
			t.Helper()
			synctest.Wait()
			got := scrapes(rec)
			require.Len(t, got, 1)
			h, err := actors.Ask[messages.TargetHealth](t.Context(), sys, pid, readTarget{})
			require.NoError(t, err)
			return got[0], h
		}
		// An empty page is a page.
		m, h := next()
		require.NotNil(t, m.scrape.Page)
		require.Equal(t, 1.0, sampleOf(t, m.scrape.Samples, "fodc_node_up"))
		require.True(t, h.Up)

		node.serve("", errors.New("the endpoint answered 500 Internal Server Error"))
		time.Sleep(10 * time.Second)
		m, h = next()
		require.Nil(t, m.scrape.Page)
		require.Equal(t, 0.0, sampleOf(t, m.scrape.Samples, "fodc_node_up"))
		require.Equal(t, "the endpoint answered 500 Internal Server Error", h.Error)

		node.serve("<html><body>Not metrics</body></html>\n", nil)
		time.Sleep(10 * time.Second)
		m, h = next()
		require.Nil(t, m.scrape.Page, "an unusable page")
		require.Equal(t, 0.0, sampleOf(t, m.scrape.Samples, "fodc_node_up"))
		require.False(t, h.Up)

		node.serve(testPage+"what is this\n", nil)
		time.Sleep(10 * time.Second)
		m, h = next()
		require.Equal(t, 2, m.scrape.Page.Samples(), "the good lines are kept")
		require.Equal(t, 1.0, sampleOf(t, m.scrape.Samples, "fodc_node_up"))
		require.Equal(t, 1.0, sampleOf(t, m.scrape.Samples, "fodc_node_scrape_bad_lines"))
		require.Equal(t, 2.0, sampleOf(t, m.scrape.Samples, "fodc_node_scrape_samples"))
		require.Contains(t, h.Error, "line 5")
	})
}

// An endpoint that hangs: one request at a time, each given up before the next.
func TestScraperHangs(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := actorstest.NewProbe(sys)
		node := &fakeEndpoint{hang: true}
		spawnScraper(sys, rec.PID, node.fetch)
		time.Sleep(time.Minute)
		synctest.Wait()
		_, _, most := node.requests()
		require.Equal(t, 1, most)
		got := scrapes(rec)
		require.GreaterOrEqual(t, len(got), 5)
		for _, m := range got {
			require.Equal(t, 9.0, sampleOf(t, m.scrape.Samples, "fodc_node_scrape_duration_seconds"))
		}
	})
}

// A scraper that is stopped, or fails, cancels its request; what comes of it goes
// nowhere.
func TestScraperStops(t *testing.T) {
	stop := func(name string, end func(sys *actors.System, pid *actors.PID), wantBegun int) {
		t.Run(name, func(t *testing.T) {
			actorstest.Run(t, func(t *testing.T, sys *actors.System) {
				rec := actorstest.NewProbe(sys)
				node := &fakeEndpoint{hang: true}
				pid := spawnScraper(sys, rec.PID, node.fetch)
				synctest.Wait()
				end(sys, pid)
				time.Sleep(time.Second)
				synctest.Wait()
				require.Empty(t, rec.Messages())
				begun, underWay, _ := node.requests()
				require.Equal(t, wantBegun, begun)
				require.Equal(t, wantBegun-1, underWay)
				require.Zero(t, sys.Counts().DeadLetters)
			})
		})
	}
	stop("stopped", func(sys *actors.System, pid *actors.PID) { sys.StopAsync(pid) }, 1)
	stop("failed", func(sys *actors.System, pid *actors.PID) { sys.Send(pid, forcePanic{}) }, 2) // a new value scrapes at once
}

// A result of the time before a restart is ignored.
func TestScraperIgnoresOldResults(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := actorstest.NewProbe(sys)
		node := &fakeEndpoint{page: testPage}
		pid := spawnScraper(sys, rec.PID, node.fetch)
		synctest.Wait()
		require.Len(t, scrapes(rec), 1)
		sys.Send(pid, fetched{generation: 1, body: []byte("old 1\n")})
		sys.Send(pid, fetched{generation: 1 << 60, body: []byte("old 1\n")})
		synctest.Wait()
		require.Empty(t, rec.Messages())
	})
}
