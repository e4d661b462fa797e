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
	scrapeTime    = 20 * time.Second
	// scrapeLimit is how many times longer 99 of 100 scrapes may take under queries.
	scrapeLimit = 2
)

// benchScrape measures how long scrapes of the proxy's page take while nobody else asks, and
// while 200 clients query all the time.
func benchScrape(t *testing.T) []row {
	p := startProxy(t)
	startAgents(t, p)
	scrapes := func() (took []float64) {
		pace := time.NewTicker(scrapePace)
		defer pace.Stop()
		for end := time.Now().Add(scrapeTime); time.Now().Before(end); <-pace.C {
			_, d := p.get("/metrics?name[]=" + tenSeries)
			took = append(took, float64(d)/float64(time.Millisecond))
		}
		return took
	}
	scrapes()
	quiet := scrapes()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	var answered, refused atomic.Int64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: scrapeClients}}
	for i := range scrapeClients {
		all.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
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
	busy := scrapes()
	cancel()
	all.Wait()
	return []row{{what: fmt.Sprintf("99 of 100 scrapes of /metrics under 200 clients (%d queries answered, %d not)", answered.Load(), refused.Load()),
		value: fmt.Sprintf("%.1f ms", quantile(busy, .99)), beside: fmt.Sprintf("quiet %.1f ms", quantile(quiet, .99)),
		ratio: quantile(busy, .99) / quantile(quiet, .99), limit: scrapeLimit, unit: "x"},
		{what: "half of them", value: fmt.Sprintf("%.1f ms", median(busy)), beside: fmt.Sprintf("quiet %.1f ms", median(quiet)),
			ratio: median(busy) / median(quiet), unit: "x"}}
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
