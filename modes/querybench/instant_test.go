//go:build bench && linux

package querybench

import (
	"bytes"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	instantRequests = 60
	// instantLimit is how many times the processor time of the page an instant query may take.
	instantLimit = 1.5
)

// benchInstant measures the proxy's processor time for an instant query of a family of all
// nodes, beside its page of the same family.
func benchInstant(t *testing.T) []row {
	p := startProxy(t)
	startAgents(t, p)
	var rows []row
	for _, of := range []struct {
		what, family string
		series       int
	}{{"1 series a node", oneSeries, agents}, {"10 series a node", tenSeries, agents * perFamily}} {
		query := "/api/v1/query?query=" + url.QueryEscape(of.family)
		var queries, pages []float64
		for range rounds() {
			queries = append(queries, p.cpuOf(instantRequests, func() {
				body, _ := p.get(query)
				require.Equal(t, of.series, bytes.Count(body, []byte(`"__name__"`)))
			}))
			pages = append(pages, p.cpuOf(instantRequests, func() {
				body, _ := p.get("/metrics?name[]=" + of.family)
				require.Equal(t, of.series, bytes.Count(body, []byte("\n"+of.family+"{")))
			}))
		}
		rows = append(rows, row{what: "CPU of an instant query of 100 nodes, " + of.what, value: fmt.Sprintf("%.2f ms", median(queries)),
			beside: fmt.Sprintf("/metrics %.2f ms", median(pages)), ratio: ratios(queries, pages), limit: instantLimit, unit: "x"})
	}
	return rows
}

// cpuOf returns the processor time of the process for each of so many requests, in ms.
func (p *process) cpuOf(requests int, request func()) float64 {
	request() // Until caches are warm.
	before := p.cpu()
	for range requests {
		request()
	}
	return float64(p.cpu()-before) / float64(time.Millisecond) / float64(requests)
}
