package modes

import (
	"cmp"
	"time"

	"fodc/httpapi/promapi"
)

// QueryConfig is what queries of PromQL may take.
type QueryConfig struct {
	// Timeout bounds a query with the time that it waits for its turn. Default 30 s.
	Timeout time.Duration
	// MaxSamples bounds the samples that a query has in memory. Default 50,000,000, of an agent
	// 2,000,000.
	MaxSamples int
	// Concurrency bounds the queries that run at once. Default 20, of an agent 4.
	Concurrency int
}

const (
	// queryMargin is how long before the end of an HTTP server's write timeout a query ends.
	queryMargin = 500 * time.Millisecond
	// agentQueryBytes bounds the memory of an agent's queries: once of what is read for them, and
	// again of the samples that are evaluated, and again of their series. The agent runs beside a database.
	agentQueryBytes = 32 << 20
	// ownQuerySamples and ownQueries are the limits of the agent in standalone mode, whose flags are
	// those of the proxy, and the defaults of an agent by itself.
	ownQuerySamples, ownQueries = 2_000_000, 4
)

var (
	querySamples = intRange{1, 1_000_000_000}
	queryNumber  = intRange{1, 1000}
)

func (c QueryConfig) validate() error {
	return cmp.Or(
		checkDuration("query-timeout", c.Timeout),
		querySamples.check("query-max-samples", c.MaxSamples),
		queryNumber.check("query-concurrency", c.Concurrency),
	)
}

// within returns the limits behind an HTTP server with the write timeout.
func (c QueryConfig) within(writeTimeout time.Duration, memory int64) promapi.Limits {
	longest := writeTimeout - min(queryMargin, writeTimeout/2)
	return promapi.Limits{Timeout: min(c.Timeout, longest), MaxSamples: c.MaxSamples, Concurrency: c.Concurrency, Memory: memory}
}

// forAgent returns what the agent beside a proxy has in standalone mode.
func (c QueryConfig) forAgent() QueryConfig {
	c.MaxSamples, c.Concurrency = min(c.MaxSamples, ownQuerySamples), min(c.Concurrency, ownQueries)
	return c
}

func queryOptions(c *QueryConfig, timeout, samples, concurrency string) []*option {
	return []*option{
		durationOption(&c.Timeout, "query-timeout", "30s", timeout),
		intOption(&c.MaxSamples, "query-max-samples", samples,
			"`NUMBER` of samples that a PromQL query may have in memory; the memory for all queries may allow fewer", querySamples),
		intOption(&c.Concurrency, "query-concurrency", concurrency, "`NUMBER` of PromQL queries that may run at once; others wait", queryNumber),
	}
}
