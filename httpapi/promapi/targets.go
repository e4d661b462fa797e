package promapi

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

type targetsData struct {
	Active  []activeTarget `json:"activeTargets"`
	Dropped []activeTarget `json:"droppedTargets"`
	Counts  map[string]int `json:"droppedTargetCounts"`
}

type activeTarget struct {
	Discovered   map[string]string `json:"discoveredLabels"`
	Labels       map[string]string `json:"labels"`
	Pool         string            `json:"scrapePool"`
	URL          string            `json:"scrapeUrl"`
	GlobalURL    string            `json:"globalUrl"`
	LastError    string            `json:"lastError"`
	LastScrape   time.Time         `json:"lastScrape"`
	LastDuration float64           `json:"lastScrapeDuration"`
	Health       string            `json:"health"`
	Interval     string            `json:"scrapeInterval"`
	Timeout      string            `json:"scrapeTimeout"`
}

// targets answers with what is scraped. None is ever dropped.
func (a *API) targets(r *request) (result, error) {
	all, err := a.sortedTargets(r)
	if err != nil {
		return result{}, err
	}
	state, pool := strings.ToLower(r.one("state")), r.one("scrapePool")
	data := targetsData{Active: []activeTarget{}, Dropped: []activeTarget{}}
	if state == "" || state == "any" || state == "dropped" {
		data.Counts = map[string]int{}
		for _, t := range all {
			data.Counts[t.Pool] = 0
		}
	}
	for _, t := range all {
		t.URL = r.absolute(t.URL)
		if (state == "" || state == "any" || state == "active") && (pool == "" || pool == t.Pool) {
			data.Active = append(data.Active, activeTarget{
				Discovered: discoveredLabels(t), Labels: t.Labels, Pool: t.Pool, URL: t.URL, GlobalURL: t.URL,
				LastError: t.LastError, LastScrape: t.LastScrape, LastDuration: t.LastScrapeDuration.Seconds(),
				Health: t.Health, Interval: model.Duration(t.Interval).String(), Timeout: model.Duration(t.Timeout).String(),
			})
		}
	}
	return result{data: data}, nil
}

// absolute returns a path as a URL of the server, under the name by which it is asked; and others as
// they are.
func (r *request) absolute(path string) string {
	if !strings.HasPrefix(path, "/") || r.Host == "" {
		return path
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host + path
}

// sortedTargets returns all targets, sorted by pool.
func (a *API) sortedTargets(r *request) ([]Target, error) {
	all, err := a.cfg.Targets(r.Context())
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(x, y Target) int { return strings.Compare(x.Pool, y.Pool) })
	return all, err
}

// discoveredLabels returns the labels that a Prometheus would have of the target before any
// relabelling.
func discoveredLabels(t Target) map[string]string {
	l := map[string]string{model.JobLabel: t.Pool}
	if u, err := url.Parse(t.URL); err == nil {
		l[model.AddressLabel], l[model.SchemeLabel], l[model.MetricsPathLabel] = u.Host, u.Scheme, u.Path
	}
	return l
}

func (a *API) scrapePools(r *request) (result, error) {
	all, err := a.sortedTargets(r)
	pools := []string{}
	for _, t := range all {
		pools = append(pools, t.Pool)
	}
	return result{data: object{"scrapePools": slices.Compact(pools)}}, err
}
