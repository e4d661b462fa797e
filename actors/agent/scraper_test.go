package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// reading returns a reading's value by name.
func readingOf(t *testing.T, readings []recorder.Reading, name string) float64 {
	t.Helper()
	i := slices.IndexFunc(readings, func(r recorder.Reading) bool { return r.Name == name })
	require.GreaterOrEqual(t, i, 0, "no reading %s", name)
	return readings[i].Value
}

// scrapes returns what a scraper has sent to the recorder that the probe stands for.
func scrapes(p *actorstest.Probe) []scraped {
	var all []scraped
	for _, m := range p.Messages() {
		all = append(all, m.(scraped))
	}
	return all
}

func spawnScraper(sys *actors.System, to *actors.PID, fetch fetcher) *actors.PID {
	return sys.Spawn("scraper", restarts, func() actors.Actor {
		return newScraper(sys, to, Target{URL: "http://node/metrics", ContainerName: "db"}, false, 10*time.Second, fetch)
	})
}

func TestScraperSchedule(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := actorstest.NewProbe(sys)
		page := testPage
		start := time.Now()
		spawnScraper(sys, rec.PID, pageFetcher(&page))
		synctest.Wait()
		first := scrapes(rec)
		require.Len(t, first, 1, "at once")
		require.Equal(t, start, first[0].scrape.At)
		require.True(t, first[0].node)
		require.Equal(t, recorder.Target{Name: "http://node/metrics",
			Labels: []messages.Label{{Name: "container_name", Value: "db"}}}, first[0].target)
		require.Equal(t, 2, first[0].scrape.Page.Samples())
		for _, r := range first[0].scrape.Readings {
			require.Equal(t, []messages.Label{{Name: "endpoint", Value: "http://node/metrics"}}, r.Labels)
			require.NotEmpty(t, r.Help)
			require.Equal(t, messages.TypeGauge, r.Type)
		}

		time.Sleep(time.Minute)
		rest := scrapes(rec)
		require.Len(t, rest, 6)
		s := newSchedule("http://node/metrics", 10*time.Second)
		for _, m := range rest {
			require.Equal(t, s.before(m.scrape.At).Truncate(time.Millisecond), m.scrape.At, "on the schedule")
		}
	})
}

// The page is handed over and comes back: it is never with both.
func TestScraperPageComesBack(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := actorstest.NewProbe(sys)
		page := testPage
		pid := spawnScraper(sys, rec.PID, pageFetcher(&page))
		time.Sleep(10 * time.Second)
		got := scrapes(rec)
		require.Len(t, got, 2)
		require.NotSame(t, got[0].scrape.Page, got[1].scrape.Page, "the first one is still the recorder's")
		sys.Send(pid, recorded{got[1].scrape.Page})
		time.Sleep(10 * time.Second)
		require.Same(t, got[1].scrape.Page, scrapes(rec)[0].scrape.Page)
	})
}

func TestScraperFailures(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := actorstest.NewProbe(sys)
		var body string
		var err error
		pid := spawnScraper(sys, rec.PID, func(context.Context, string) ([]byte, string, error) {
			return []byte(body), "text/plain", err
		})
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
		require.Equal(t, 1.0, readingOf(t, m.scrape.Readings, "fodc_node_up"))
		require.True(t, h.Up)

		err = errors.New("the endpoint answered 500 Internal Server Error")
		time.Sleep(10 * time.Second)
		m, h = next()
		require.Nil(t, m.scrape.Page)
		require.Equal(t, 0.0, readingOf(t, m.scrape.Readings, "fodc_node_up"))
		require.Equal(t, err.Error(), h.Error)

		body, err = "<html><body>Not metrics</body></html>\n", nil
		time.Sleep(10 * time.Second)
		m, h = next()
		require.Nil(t, m.scrape.Page, "an unusable page")
		require.Equal(t, 0.0, readingOf(t, m.scrape.Readings, "fodc_node_up"))
		require.False(t, h.Up)

		body = testPage + "what is this\n"
		time.Sleep(10 * time.Second)
		m, h = next()
		require.Equal(t, 2, m.scrape.Page.Samples(), "the good lines are kept")
		require.Equal(t, 1.0, readingOf(t, m.scrape.Readings, "fodc_node_up"))
		require.Equal(t, 1.0, readingOf(t, m.scrape.Readings, "fodc_node_scrape_bad_lines"))
		require.Equal(t, 2.0, readingOf(t, m.scrape.Readings, "fodc_node_scrape_samples"))
		require.Contains(t, h.Error, "line 5")
	})
}

// An endpoint that hangs: one request at a time, each given up before the next.
func TestScraperHangs(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := actorstest.NewProbe(sys)
		underWay, most := 0, 0
		spawnScraper(sys, rec.PID, func(ctx context.Context, _ string) ([]byte, string, error) {
			underWay++
			most = max(most, underWay)
			defer func() { underWay-- }()
			<-ctx.Done()
			return nil, "", ctx.Err()
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 1, most)
		got := scrapes(rec)
		require.GreaterOrEqual(t, len(got), 5)
		for _, m := range got {
			require.Equal(t, 9.0, readingOf(t, m.scrape.Readings, "fodc_node_scrape_duration_seconds"))
		}
	})
}

// A scraper that is stopped, or fails, cancels its request; what comes of it goes
// nowhere.
func TestScraperStops(t *testing.T) {
	stop := func(name string, end func(sys *actors.System, pid *actors.PID), survives bool) {
		t.Run(name, func(t *testing.T) {
			actorstest.Run(t, func(t *testing.T, sys *actors.System) {
				rec := actorstest.NewProbe(sys)
				begun, ended := 0, 0
				pid := spawnScraper(sys, rec.PID, func(ctx context.Context, _ string) ([]byte, string, error) {
					begun++
					defer func() { ended++ }()
					<-ctx.Done()
					return nil, "", fmt.Errorf("cancelled: %w", ctx.Err())
				})
				synctest.Wait()
				end(sys, pid)
				synctest.Wait()
				require.Equal(t, 1, ended)
				require.Empty(t, rec.Messages())
				time.Sleep(time.Second)
				if survives {
					require.Equal(t, 2, begun, "a new value scrapes at once")
				} else {
					require.Equal(t, 1, begun)
				}
				require.Zero(t, sys.Counts().DeadLetters)
			})
		})
	}
	stop("stopped", func(sys *actors.System, pid *actors.PID) { sys.StopAsync(pid) }, false)
	stop("failed", func(sys *actors.System, pid *actors.PID) { sys.Send(pid, fetchPanics(sys, pid)) }, true)
}

// fetchPanics is a message that a scraper fails on: its request is not what it says.
func fetchPanics(*actors.System, *actors.PID) any { return (*actors.Started)(nil) }

// A result of the time before a restart is ignored.
func TestScraperIgnoresOldResults(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := actorstest.NewProbe(sys)
		page := testPage
		pid := spawnScraper(sys, rec.PID, pageFetcher(&page))
		synctest.Wait()
		require.Len(t, scrapes(rec), 1)
		sys.Send(pid, fetched{generation: 1, body: []byte("old 1\n")})
		sys.Send(pid, fetched{generation: 1 << 60, body: []byte("old 1\n")})
		synctest.Wait()
		require.Empty(t, rec.Messages())
	})
}
