//go:build e2e && linux

package modes_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// queryAPI is something that speaks the query API of Prometheus.
type queryAPI struct{ addr string }

// ask sends a GET for an instant query, and a POST for a range.
func (a queryAPI) ask(path string, params url.Values) (*queryAnswer, error) {
	if path == "query_range" {
		resp, err := http.PostForm("http://"+a.addr+"/api/v1/"+path, params)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		return parseQueryAnswer(string(body))
	}
	_, body, _, err := get(a.addr, "/api/v1/"+path+"?"+params.Encode())
	if err != nil {
		return nil, err
	}
	return parseQueryAnswer(body)
}

// samples counts the samples of the result.
func (a *queryAnswer) samples() (n int) {
	for _, s := range a.series {
		n += len(s.samples)
	}
	return n
}

// unixSeconds returns a time as a parameter.
func unixSeconds(at time.Time) string {
	return fmt.Sprintf("%d.%03d", at.Unix(), at.Nanosecond()/int(time.Millisecond))
}

// words replaces the times in a query of the corpus.
func (c *queryCluster) words(q corpusQuery) string {
	return strings.NewReplacer("START", unixSeconds(c.start.Add(4*time.Second)), "MID", unixSeconds(c.mid),
		"END", unixSeconds(c.end)).Replace(q.Text)
}

// evaluations are the requests that each query is sent in. Instant ones are at the beginning, amid failed scrapes, and at the
// end. Ranges are of the recording alone, and of an hour.
func (c *queryCluster) evaluations() (all []evaluation) {
	for _, at := range []time.Time{c.start.Add(5 * time.Second), c.mid, c.end.Add(-time.Second)} {
		all = append(all, evaluation{"query", url.Values{"time": {unixSeconds(at)}}})
	}
	r := url.Values{"start": {unixSeconds(c.start)}, "end": {unixSeconds(c.end)}, "step": {"1"}}
	long := url.Values{"start": {unixSeconds(c.end.Add(-time.Hour))}, "end": {unixSeconds(c.end)}, "step": {"25s"}}
	coarse := url.Values{"start": {unixSeconds(c.start.Add(-20 * time.Second))}, "end": {unixSeconds(c.end)}, "step": {"7s"}}
	return append(all, evaluation{"query_range", r}, evaluation{"query_range", coarse}, evaluation{"query_range", long})
}

// evaluation is a request without its query.
type evaluation struct {
	path   string
	params url.Values
}

func (e evaluation) String() string { return e.path + "?" + e.params.Encode() }

// ordered says that the order of the series counts.
func (e evaluation) ordered(q corpusQuery) bool {
	return e.path == "query" && strings.HasPrefix(q.Text, "sort")
}

// of asks for the evaluation of a query.
func (e evaluation) of(p queryAPI, query string) (*queryAnswer, error) {
	params := maps.Clone(e.params)
	params.Set("query", query)
	return p.ask(e.path, params)
}
