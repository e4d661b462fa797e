//go:build bench && linux

package querybench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	scrapeClients = 200
	scrapePace    = 100 * time.Millisecond
	scrapeTime    = 25 * time.Second
	// dashboardPause is how long a dashboard waits until it loads again.
	dashboardPause = 10 * time.Second
	// scrapeLimit is how many times longer 99 of 100 scrapes may take while 200 dashboards are open.
	scrapeLimit = 2
)

// benchScrape measures how long scrapes of the proxy's page take while nobody else asks, while 200
// dashboards load again and again, and while as many clients query without a pause: then agents,
// proxy and clients take all that this machine has.
func benchScrape(t *testing.T) []row {
	p := startProxy(t)
	startAgents(t, p)
	_ = p.scrapes(scrapePace)
	quiet := p.scrapes(scrapePace)
	dashboards := underQueries(t, p, dashboardPause)
	storm := underQueries(t, p, 0)
	of := func(what string, q, limit float64, busy loaded) row {
		return row{what: fmt.Sprintf("%s (%d queries answered, %d not)", what, busy.answered, busy.refused), value: fmt.Sprintf("%.1f ms", quantile(busy.took, q)),
			beside: fmt.Sprintf("quiet %.1f ms", quantile(quiet, q)), ratio: quantile(busy.took, q) / quantile(quiet, q), limit: limit, unit: "x"}
	}
	return []row{
		of("99 of 100 scrapes beside 200 dashboards", .99, scrapeLimit, dashboards),
		of("half of them", .5, 0, dashboards),
		of("99 of 100 scrapes beside 200 clients without a pause", .99, 0, storm),
		of("half of them", .5, 0, storm),
	}
}

// scrapes returns how long scrapes take, in ms.
func (p proxy) scrapes(every time.Duration) (took []float64) {
	pace := time.NewTicker(every)
	defer pace.Stop()
	for end := time.Now().Add(scrapeTime); time.Now().Before(end); <-pace.C {
		_, d := p.get("/metrics?name[]=" + tenSeries)
		took = append(took, float64(d)/float64(time.Millisecond))
	}
	return took
}

// loaded is scrapes beside clients that query.
type loaded struct {
	took              []float64
	answered, refused int64
}

func underQueries(t *testing.T, p proxy, pause time.Duration) (l loaded) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	var answered, refused atomic.Int64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: scrapeClients}}
	for i := range scrapeClients {
		all.Go(func() {
			wait := time.After(pause * time.Duration(i) / scrapeClients)
			for n := i; ; n++ {
				select {
				case <-ctx.Done():
					return
				case <-wait:
				}
				wait = time.After(pause)
				switch ask(ctx, client, p.http, n) {
				case http.StatusOK:
					answered.Add(1)
				case 0:
				default:
					refused.Add(1)
				}
			}
		})
	}
	l.took = p.scrapes(scrapePace)
	cancel()
	all.Wait()
	l.answered, l.refused = answered.Load(), refused.Load()
	return l
}

// ask sends one of several queries, and returns the status; 0 where there is none.
func ask(ctx context.Context, client *http.Client, address string, n int) int {
	now := time.Now()
	over := func(expr string, long time.Duration, step int) string {
		return fmt.Sprintf("query_range?query=%s&start=%s&end=%s&step=%d", url.QueryEscape(expr), seconds(now.Add(-long)), seconds(now), step)
	}
	paths := []string{
		"query?query=" + url.QueryEscape("sum("+oneSeries+")"),
		over("sum(rate("+oneSeries+"[1m]))", 5*time.Minute, 15),
		over("sum by (node_id) (rate("+tenSeries+"[5m]))", time.Hour, 60),
		over(oneSeries, time.Hour, 10),
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/api/v1/"+paths[n%len(paths)], nil)
	if err != nil {
		return 0
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}
