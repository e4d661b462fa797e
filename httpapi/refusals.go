package httpapi

import (
	"fodc/httpapi/access"
)

// familyHTTPRefused is the family of requests that were refused.
const familyHTTPRefused = "fodc_proxy_http_requests_refused_total"

// Refusals returns how many requests a gate has refused, by reason; nil: there is no gate.
func Refusals(g *access.Gate) map[string]uint64 {
	if g == nil {
		return nil
	}
	byReason := map[string]uint64{}
	for why, n := range g.Refusals() {
		byReason[string(why)] = n
	}
	return byReason
}

// refused sets the counters of refused requests.
func (m *selfMetrics) refused(byReason map[string]uint64) {
	for why, n := range byReason {
		m.set.GetOrCreateCounter(seriesName(familyHTTPRefused, "reason", why)).Set(n)
	}
}
