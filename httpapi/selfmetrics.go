package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"fodc/httpapi/exposition"
	"fodc/messages"

	"github.com/VictoriaMetrics/metrics"
)

// The proxy's own families.
const (
	familyBuildInfo          = "fodc_build_info"
	familyCollectionDuration = "fodc_proxy_collection_duration_seconds"
	familyCollections        = "fodc_proxy_collections_total"
	familyPanics             = "fodc_proxy_http_panics_total"
	familyRequestDuration    = "fodc_proxy_http_request_duration_seconds"
	familyRequests           = "fodc_proxy_http_requests_total"
	familyConflicts          = "fodc_proxy_merge_conflicts_total"
)

// metadataOf returns the TYPE and the HELP of a family; metrics.Set writes no HELP.
func metadataOf(family string) (kind messages.MetricType, help string) {
	switch family {
	case familyBuildInfo:
		return messages.TypeGauge, "Version of the proxy; always 1."
	case familyCollectionDuration:
		return messages.TypeHistogram, "Time from the request to the agents' answers, without the time to write the page."
	case familyCollections:
		return messages.TypeCounter, "Collections by their result: whole, partial (a node is missing, or its answer is not whole) or failed."
	case familyPanics:
		return messages.TypeCounter, "Requests that ended in a panic."
	case familyRequestDuration:
		return messages.TypeHistogram, "Time from a request's arrival to the last byte of its answer."
	case familyRequests:
		return messages.TypeCounter, "Requests by route and status code; 499: the client closed the connection before the end of the answer."
	case familyHTTPRefused:
		return messages.TypeCounter, "Requests that were refused because of who has made them, or how, by reason."
	case familyConflicts:
		return messages.TypeCounter, "What pages left out or changed, by reason."
	default:
		for _, head := range []func(string) (messages.MetricType, string){metadataOfActors, metadataOfAgents, metadataOfProcess, metadataOfFiles} {
			if kind, help = head(family); help != "" {
				break
			}
		}
		return kind, help
	}
}

// linesBytes is the initial size of the buffer; the samples of most proxies fit.
const linesBytes = 16 << 10

// durationBuckets are in seconds.
func durationBuckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

// collectionResult is how a collection ended.
type collectionResult string

const (
	collectionWhole   collectionResult = "whole"
	collectionPartial collectionResult = "partial"
	collectionFailed  collectionResult = "failed"
)

// Build describes the running program. An empty field is not known.
type Build struct{ Version, Revision string }

// selfMetrics are the proxy's metrics of itself. On a nil *selfMetrics the methods that count
// requests do nothing.
type selfMetrics struct {
	set      *metrics.Set
	panics   *metrics.Counter
	duration *metrics.PrometheusHistogram
	// writing is locked while counts of other packages are copied and written, so that a page
	// never shows an older count than the page before.
	writing  sync.Mutex
	roles    roles
	verifies bool // the proxy asks agents who they are
	schemas  schemaSeries
	fileSeries
}

// newSelfMetrics returns metrics that start at zero.
func newSelfMetrics(b Build) *selfMetrics {
	set := metrics.NewSet()
	m := &selfMetrics{
		set:      set,
		panics:   set.NewCounter(familyPanics),
		duration: set.NewPrometheusHistogramExt(familyCollectionDuration, durationBuckets()),
		roles:    roles{},
	}
	set.NewGauge(seriesName(familyBuildInfo, "version", b.Version, "revision", b.Revision,
		"goversion", runtime.Version(), "goos", runtime.GOOS, "goarch", runtime.GOARCH), nil).Set(1)
	for _, r := range []collectionResult{collectionWhole, collectionPartial, collectionFailed} {
		m.collections(r)
	}
	for _, reason := range []messages.MissingReason{messages.MissingTimeout, messages.MissingUnconnected, messages.MissingBusy, messages.MissingError} {
		m.missing(reason)
	}
	m.conflicts(exposition.Conflicts{}, messages.Problems{})
	return m
}

// seriesName returns family{name="value",...}. Labels with an empty value are left out.
func seriesName(family string, labels ...string) string {
	b := append([]byte(family), '{')
	for i := 0; i+1 < len(labels); i += 2 {
		if labels[i+1] == "" {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = messages.AppendLabel(b, labels[i], labels[i+1])
	}
	return string(append(b, '}'))
}

func (m *selfMetrics) request(route string, code int, took time.Duration) {
	if m == nil {
		return
	}
	m.set.GetOrCreateCounter(seriesName(familyRequests, "route", route, "code", strconv.Itoa(code))).Inc()
	m.set.GetOrCreatePrometheusHistogramExt(seriesName(familyRequestDuration, "route", route), durationBuckets()).Update(took.Seconds())
}

func (m *selfMetrics) panicked() {
	if m != nil {
		m.panics.Inc()
	}
}

func (m *selfMetrics) collections(r collectionResult) *metrics.Counter {
	return m.set.GetOrCreateCounter(seriesName(familyCollections, "result", string(r)))
}

func (m *selfMetrics) collected(r collectionResult, took time.Duration) {
	m.collections(r).Inc()
	m.duration.Update(took.Seconds())
}

func (m *selfMetrics) missing(r messages.MissingReason) *metrics.Counter {
	return m.set.GetOrCreateCounter(seriesName(familyMissing, "reason", string(r)))
}

// missed counts the nodes that are missing from a request's collection.
func (m *selfMetrics) missed(c *messages.Collection) {
	for i := range c.Nodes {
		if reason := c.Nodes[i].Missing; reason != messages.MissingNone && reason != messages.MissingUnserved {
			m.missing(reason).Inc()
		}
	}
}

// merged counts what was left out of a page, or changed for it. Series that were rejected when
// the answer arrived count as invalid, as those that were rejected for the page.
func (m *selfMetrics) merged(c *messages.Collection, conflicts exposition.Conflicts) {
	var problems messages.Problems
	for i := range c.Nodes {
		problems.Add(c.Nodes[i].Problems)
	}
	m.conflicts(conflicts, problems)
}

func (m *selfMetrics) conflicts(c exposition.Conflicts, f messages.Problems) {
	add := func(reason string, n int) {
		m.set.GetOrCreateCounter(seriesName(familyConflicts, "reason", reason)).Add(n)
	}
	add("type", c.Type)
	add("help", c.Help)
	add("reserved", c.Reserved)
	add("duplicate", c.Duplicate)
	add("invalid", c.Invalid+f.Rejected)
	add("label_name", f.Sanitized)
	add("too_many_series", f.TooMany)
}

// metricSources are the functions that return what other packages have counted. cluster is nil
// while the registry does not answer.
type metricSources struct {
	cluster *messages.Cluster
	actors  func() messages.ActorCounts
	proxy   func() messages.ProxyCounts
	process func() (messages.ProcessUsage, error)
	// schema may be nil: it is not compared.
	schema func() map[string]*messages.SchemaConsistency
	// logLinesDropped may be nil: the log drops none.
	logLinesDropped func() uint64
	// connectionsClosed may be nil: nobody counts them.
	connectionsClosed func() map[string]uint64
	// files may be nil: none are read.
	files func() []messages.FileStatus
	// refused are requests by the reason to refuse them.
	refused map[string]uint64
}

// write writes all families in the text format, each with its HELP and TYPE.
func (m *selfMetrics) write(w io.Writer, e metricSources) error {
	var lines bytes.Buffer
	lines.Grow(linesBytes)
	m.writing.Lock()
	m.agents(e.cluster)
	m.actors(e.actors())
	m.proxy(e.proxy())
	m.process(e.process())
	if e.schema != nil {
		m.schema(e.schema())
	}
	if e.connectionsClosed != nil {
		m.connections(e.connectionsClosed())
	}
	if e.files != nil {
		m.files(e.files())
	}
	m.refused(e.refused)
	dropped := m.set.GetOrCreateCounter(familyLogLinesDropped)
	if e.logLinesDropped != nil {
		dropped.Set(e.logLinesDropped())
	}
	m.set.WritePrometheus(&lines) // Sorted by family.
	m.writing.Unlock()
	if _, err := w.Write(withMetadata(lines.String())); err != nil {
		return fmt.Errorf("write the proxy's metrics: %w", err)
	}
	return nil
}

// withMetadata puts the HELP and the TYPE of each family before its lines.
func withMetadata(lines string) []byte {
	page := make([]byte, 0, 2*len(lines))
	before := ""
	for line := range strings.Lines(lines) {
		if family := familyOf(line); family != before {
			kind, help := metadataOf(family)
			for _, text := range []string{"# HELP ", family, " ", help, "\n# TYPE ", family, " ", kind.String(), "\n"} {
				page = append(page, text...)
			}
			before = family
		}
		page = append(page, line...)
	}
	return page
}

// familyOf returns the family of a sample's line.
func familyOf(line string) string {
	name := line[:strings.IndexAny(line, "{ ")]
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		base, cut := strings.CutSuffix(name, suffix)
		if kind, _ := metadataOf(base); cut && kind == messages.TypeHistogram {
			return base
		}
	}
	return name
}
