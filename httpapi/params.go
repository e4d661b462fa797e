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

// params are the parameters of a request's query. An empty value counts as absent; unknown
// parameters are ignored.
type params struct {
	values url.Values
	// observe may be nil.
	observe paramObserver
}

// paramObserver is called with the name of each parameter that a handler reads, whether it may
// be given only once, and its values, if they are a closed set. Tests put one into a request's
// context, to compare the parameters of a route with docs/openapi.yaml.
type paramObserver func(name string, once bool, allowed []string)

type paramObserverKey struct{}

func (p params) notify(name string, once bool, allowed ...string) {
	if p.observe != nil {
		p.observe(name, once, allowed)
	}
}

func paramObserverOf(r *http.Request) paramObserver {
	observe, _ := r.Context().Value(paramObserverKey{}).(paramObserver)
	return observe
}

func paramsOf(r *http.Request) (params, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return params{}, messages.Errorf(messages.ErrBadData, "query string %q: %v", truncated(r.URL.RawQuery), err)
	}
	return params{values, paramObserverOf(r)}, nil
}

// lenientParamsOf returns those parameters of a request that can be parsed. It is for health
// checks, which get a response even if their query is wrong.
func lenientParamsOf(r *http.Request) params {
	values, _ := url.ParseQuery(r.URL.RawQuery)
	return params{values, paramObserverOf(r)}
}

// all returns the values of a parameter that may be repeated, sorted and without duplicates, so
// that requests for the same share a collection.
func (p params) all(name string) []string {
	p.notify(name, false)
	values := slices.DeleteFunc(slices.Clone(p.values[name]), func(v string) bool { return v == "" })
	slices.Sort(values)
	return slices.Compact(values)
}

// one returns the value of a parameter that may not be repeated, or "".
func (p params) one(name string) (string, error) {
	p.notify(name, true)
	values := p.all(name)
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	default:
		return "", messages.Errorf(messages.ErrBadData, "%s is given twice: %q and %q", name, truncated(values[0]), truncated(values[1]))
	}
}

// choice returns the value of a parameter that must be one of a few, or "".
func (p params) choice(name string, allowed ...string) (string, error) {
	p.notify(name, true, allowed...)
	value, err := p.one(name)
	if err != nil || value == "" || slices.Contains(allowed, value) {
		return value, err
	}
	return "", messages.Errorf(messages.ErrBadData, "%s %q: allowed are %s", name, truncated(value), strings.Join(allowed, ", "))
}

// flag returns the value of a parameter that is on or off, and off when absent.
func (p params) flag(name string) (bool, error) {
	value, err := p.choice(name, "1", "0", "true", "false")
	return value == "1" || value == "true", err
}

func (p params) filter() messages.NodeFilter {
	return messages.NodeFilter{NodeIDs: p.all("node_id"), Roles: p.all("role"), PodNames: p.all("pod_name")}
}

// The parameters that select families by name. match[] is an alias, known from Prometheus; it
// takes a name, not a selector.
const (
	paramName  = "name[]"
	paramMatch = "match[]"
)

// names returns the names of the families to select. An invalid one is an error here, since
// all of them are sent to every agent.
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
			return nil, messages.Errorf(messages.ErrBadData, "%s %q: the name of a family is allowed, without labels", paramMatch, truncated(m))
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
	// scrapeMargin is the part of a scraper's timeout that is kept for sending the response;
	// of a timeout of less than twice that it is half.
	scrapeMargin = 500 * time.Millisecond
)

// budget returns how long the collection of a request may take: the scraper's timeout without
// the margin, at most limit. A header that is not a positive number counts as absent.
func budget(r *http.Request, limit time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(r.Header.Get(headerScrapeTimeout), 64)
	if err != nil || math.IsNaN(seconds) || seconds <= 0 || seconds > math.MaxInt64/float64(time.Second) {
		return limit
	}
	allowed := time.Duration(seconds * float64(time.Second))
	return min(limit, allowed-min(scrapeMargin, allowed/2))
}
