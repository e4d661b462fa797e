//go:build e2e && linux

package modes_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// countedNode plays a node whose pages are numbered: all values of a page follow from its
// number, so that it can be told what of it was recorded.
type countedNode struct {
	*httptest.Server
	series int

	mu      sync.Mutex
	arrived []time.Time // of the requests; page n was the answer to the n-th, from 0 on
}

func startCountedNode(t *testing.T, series int) *countedNode {
	n := &countedNode{series: series}
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(n.next())
	}))
	t.Cleanup(n.Close)
	return n
}

func (n *countedNode) endpoint() string { return n.URL + "/metrics" }

// served returns how many pages were asked for.
func (n *countedNode) served() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.arrived)
}

// requests returns when each page was asked for.
func (n *countedNode) requests() []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.arrived)
}

func (n *countedNode) next() []byte {
	n.mu.Lock()
	number := len(n.arrived)
	n.arrived = append(n.arrived, time.Now())
	n.mu.Unlock()
	b := fmt.Appendf(nil, "# TYPE counted_page gauge\ncounted_page %d\n# TYPE counted_value gauge\n", number)
	for i := range n.series {
		b = fmt.Appendf(b, "counted_value{i=\"%d\"} ", i)
		b = append(strconv.AppendFloat(b, countedValue(number, i), 'g', -1, 64), '\n')
	}
	return b
}

// countedValue is the value of the series i on a page: whole numbers and fractions in turn.
func countedValue(page, i int) float64 {
	if i%2 == 0 {
		return float64(page * (i + 1))
	}
	return math.Sin(float64(page*7919 + i))
}

// countedQuery selects the families of a counted node.
const countedQuery = "name[]=counted_page&name[]=counted_value"

// countedSample is a sample of a counted node on a page: its series, its value, and its time in
// unix milliseconds if the page has times.
var countedSample = regexp.MustCompile(`(?m)^counted_(page|value)(?:\{(?:i="(\d+)")?[^}]*\})? (\S+)(?: (\d+))?$`)

// scrapesOf returns the scrapes of the node that a page shows: time -> page number. Each must
// be of one page of the node, whole, and nothing may be there twice.
func (n *countedNode) scrapesOf(t *testing.T, text string) map[int64]int {
	t.Helper()
	pages, values := map[int64]int{}, map[int64]map[int]float64{}
	for _, m := range countedSample.FindAllStringSubmatch(text, -1) {
		v, err := strconv.ParseFloat(m[3], 64)
		require.NoError(t, err, m[0])
		ms, _ := strconv.ParseInt(m[4], 10, 64) // 0 without times
		if m[1] == "page" {
			require.NotContains(t, pages, ms, "twice: %s", m[0])
			pages[ms] = int(v)
			continue
		}
		i, err := strconv.Atoi(m[2])
		require.NoError(t, err, m[0])
		if values[ms] == nil {
			values[ms] = map[int]float64{}
		}
		require.NotContains(t, values[ms], i, "twice: %s", m[0])
		values[ms][i] = v
	}
	require.Len(t, values, len(pages))
	for ms, page := range pages {
		require.Len(t, values[ms], n.series, "series of page %d at %d", page, ms)
		for i, v := range values[ms] {
			require.Equal(t, math.Float64bits(countedValue(page, i)), math.Float64bits(v), "series %d of page %d at %d", i, page, ms)
		}
	}
	return pages
}

// snapped bounds by how much the time of a scrape may differ from when it began.
const snapped = 60 * time.Millisecond

// window returns the scrapes of the node in a window of the proxy, sorted by time, and the
// header that says why it is not whole. Each must be of a page that the node has served, in
// their order, with the time of its request.
func (n *countedNode) window(t *testing.T, proxy *process, query string) (scrapes []countedScrape, partial string) {
	t.Helper()
	status, body, header, err := get(proxy.addr("http"), "/metrics-windows?"+query+"&"+countedQuery)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, body)
	for ms, page := range n.scrapesOf(t, body) {
		scrapes = append(scrapes, countedScrape{page, time.UnixMilli(ms)})
	}
	slices.SortFunc(scrapes, func(a, b countedScrape) int { return a.at.Compare(b.at) })
	arrived := n.requests()
	before := -1
	for _, s := range scrapes {
		require.Greater(t, s.page, before, "pages are in the order of their times")
		require.Less(t, s.page, len(arrived), "a page that was never served")
		require.False(t, s.at.After(arrived[s.page].Add(snapped)), "page %d is of %s, recorded at %s", s.page, arrived[s.page], s.at)
		if s.page > 0 {
			require.False(t, s.at.Before(arrived[s.page-1].Add(-snapped)), "page %d came after %s, recorded at %s", s.page, arrived[s.page-1], s.at)
		}
		before = s.page
	}
	return scrapes, header.Get("X-Fodc-Partial")
}

// countedScrape is a recorded scrape of a counted node.
type countedScrape struct {
	page int
	at   time.Time
}

// since is the query of a window from a time on.
func since(at time.Time) string { return "start_time=" + at.UTC().Format(time.RFC3339Nano) }

// pagesOf returns the numbers of the scrapes' pages.
func pagesOf(scrapes []countedScrape) map[int]bool {
	pages := map[int]bool{}
	for _, s := range scrapes {
		pages[s.page] = true
	}
	return pages
}

// missingPages returns which pages of from...to are not there, as text.
func missingPages(scrapes []countedScrape, from, to int) string {
	pages := pagesOf(scrapes)
	var missing []string
	for i := from; i <= to; i++ {
		if !pages[i] {
			missing = append(missing, strconv.Itoa(i))
		}
	}
	return strings.Join(missing, " ")
}
