package httpapi

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"fodc/messages"
)

// params are the parameters of a request. One with an empty value is as good as
// absent; unknown ones are ignored.
type params struct {
	values url.Values
	// look is told what a handler looks at; nil: nobody wants to know.
	look lookout
}

// lookout is told the name of a parameter, whether it may be given but once, and the
// values that it may have, if these are few. Put into a request's context it tells
// which parameters a route has: the API's description is held against that.
type lookout func(name string, once bool, allowed []string)

type lookoutKey struct{}

func (p params) looked(name string, once bool, allowed ...string) {
	if p.look != nil {
		p.look(name, once, allowed)
	}
}

func lookoutOf(r *http.Request) lookout {
	look, _ := r.Context().Value(lookoutKey{}).(lookout)
	return look
}

func paramsOf(r *http.Request) (params, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return params{}, messages.Errorf(messages.ErrBadData, "query string %q: %v", shown(r.URL.RawQuery), err)
	}
	return params{values, lookoutOf(r)}, nil
}

// readable returns the parameters of a request that can be read, for a probe: what
// it gets is an answer, whatever it asks.
func readable(r *http.Request) params {
	values, _ := url.ParseQuery(r.URL.RawQuery)
	return params{values, lookoutOf(r)}
}

// all returns the values of a parameter that may be repeated, sorted and each once:
// requests that ask the same can then share a collection.
func (p params) all(name string) []string {
	p.looked(name, false)
	values := slices.DeleteFunc(slices.Clone(p.values[name]), func(v string) bool { return v == "" })
	slices.Sort(values)
	return slices.Compact(values)
}

// one returns the value of a parameter that may not be repeated, or "".
func (p params) one(name string) (string, error) {
	p.looked(name, true)
	values := p.all(name)
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	default:
		return "", messages.Errorf(messages.ErrBadData, "%s is given twice: %q and %q", name, shown(values[0]), shown(values[1]))
	}
}

// choice returns the value of a parameter that must be one of a few, or "".
func (p params) choice(name string, allowed ...string) (string, error) {
	p.looked(name, true, allowed...)
	value, err := p.one(name)
	if err != nil || value == "" || slices.Contains(allowed, value) {
		return value, err
	}
	return "", messages.Errorf(messages.ErrBadData, "%s %q: allowed are %s", name, shown(value), strings.Join(allowed, ", "))
}

// flag returns the value of a parameter that is on or off, and off when absent.
func (p params) flag(name string) (bool, error) {
	value, err := p.choice(name, "1", "0", "true", "false")
	return value == "1" || value == "true", err
}

func (p params) filter() messages.NodeFilter {
	return messages.NodeFilter{NodeIDs: p.all("node_id"), Roles: p.all("role"), PodNames: p.all("pod_name")}
}

// The parameters that name families. The second is there for those who know it from
// Prometheus, though it takes a name only.
const (
	paramName  = "name[]"
	paramMatch = "match[]"
)

// names returns the families wanted. They travel to every agent, so one that no
// family can have is refused here.
func (p params) names() ([]string, error) {
	for _, param := range []string{paramName, paramMatch} {
		for _, n := range p.all(param) {
			if err := messages.CheckMetricName(n); err != nil {
				return nil, messages.Errorf(messages.ErrBadData, "%s: %v", param, err)
			}
		}
	}
	for _, m := range p.all(paramMatch) {
		if strings.ContainsAny(m, `{}="`) {
			return nil, messages.Errorf(messages.ErrBadData, "%s %q: the name of a family is allowed, without labels", paramMatch, shown(m))
		}
	}
	names := slices.Concat(p.all(paramName), p.all(paramMatch))
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > messages.MaxSelectedNames {
		return nil, messages.Errorf(messages.ErrBadData, "%s: %d names, at most %d are allowed", paramName, len(names), messages.MaxSelectedNames)
	}
	return names, nil
}

const (
	headerScrapeTimeout = "X-Prometheus-Scrape-Timeout-Seconds"
	// scrapeMargin is the part of a scraper's timeout that is left for the way of the
	// answer; a short timeout gives half of itself.
	scrapeMargin = 500 * time.Millisecond
)

// budget returns how long the collection of a request may take: what the scraper
// allows, at most limit. A header that makes no sense is as good as absent.
func budget(r *http.Request, limit time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(r.Header.Get(headerScrapeTimeout), 64)
	if err != nil || math.IsNaN(seconds) || seconds <= 0 || seconds > math.MaxInt64/float64(time.Second) {
		return limit
	}
	allowed := time.Duration(seconds * float64(time.Second))
	return min(limit, allowed-min(scrapeMargin, allowed/2))
}
