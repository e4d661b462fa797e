package promapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"fodc/messages"
	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/prometheus/prometheus/util/features"
	"go.uber.org/zap"
)

// Storage is what is queried.
type Storage interface {
	Queryable(o promstore.Options) storage.SampleAndChunkQueryable
	Metadata(ctx context.Context, o promstore.Options, name string) ([]promstore.Metadata, annotations.Annotations, error)
}

// Limits bound what queries take.
type Limits struct {
	// Timeout bounds a query, with the time that it waits for its turn.
	Timeout time.Duration
	// MaxSamples bounds the samples that one query has in memory. Memory bounds those that all queries
	// together have there, in bytes, and again the series; 0 is no bound.
	MaxSamples int
	Memory     int64
	// Concurrency bounds the queries that run at a time.
	Concurrency int
}

// Target is something that is scraped, as /api/v1/targets shows it.
type Target struct {
	// Labels are those of its series.
	Labels map[string]string
	// Pool is the word that groups targets. URL is where it is scraped; a path is one of the server that is asked.
	Pool, URL string
	// Health is up, down or unknown.
	Health             string
	LastError          string
	LastScrape         time.Time
	LastScrapeDuration time.Duration
	Interval, Timeout  time.Duration
}

// Config is what an API needs.
type Config struct {
	Storage Storage
	// Targets returns what is scraped.
	Targets func(ctx context.Context) ([]Target, error)
	// Rules returns the alerting rules with their alerts; nil: there are none.
	Rules  func(ctx context.Context) (messages.RuleGroups, error)
	Limits Limits
	// PagesAhead returns what is closed when no page goes before queries any more; nil: none does. The
	// field may be nil.
	PagesAhead func() <-chan struct{}
	// Revision is that of this program's source.
	Revision string
	// Flags are those that the process was started with, by name.
	Flags map[string]string
	// Started is when the process has started.
	Started time.Time
	// Now is the clock.
	Now func() time.Time
	Log *zap.Logger
}

// API serves queries.
type API struct {
	cfg        Config
	parser     safeParser
	engines    [kinds]*promql.Engine
	maxSamples [kinds]int
	admission  *admission
	features   map[string]map[string]bool
}

// New returns an API.
func New(cfg Config) *API {
	cfg.Limits.Concurrency = max(1, cfg.Limits.Concurrency)
	registry := features.NewRegistry()
	a := &API{
		cfg:        cfg,
		parser:     newParser(),
		engines:    newEngines(cfg.Limits, cfg.Log, registry),
		maxSamples: cfg.Limits.maxSamples(),
		admission:  newAdmission(cfg.Limits.Concurrency),
		features:   withAPIFeatures(registry.Get()),
	}
	a.admission.series.limit = cfg.Limits.Memory
	a.admission.pagesAhead = cfg.PagesAhead
	return a
}

// Route is a path of the API. A part of it in braces is a path value of the request.
type Route struct {
	Path, About string
	Methods     []string
	// Params are the parameters that are read. The others are ignored.
	Params []string
	Serve  http.HandlerFunc
}

const prefix = "/api/v1"

// Routes returns the routes of the API.
func (a *API) Routes() []Route {
	get := []string{http.MethodGet, http.MethodOptions}
	form := []string{http.MethodGet, http.MethodPost, http.MethodOptions}
	series := []string{"match[]", "start", "end", "limit"}
	route := func(path, about string, methods []string, serve handler, params ...string) Route {
		return Route{prefix + path, about, methods, append(params, "strict"), a.handle(methods, serve)}
	}
	return []Route{
		route("/query", "a PromQL expression at one time", form, a.query,
			"query", "time", "timeout", "limit", "lookback_delta", "stats"),
		route("/query_range", "a PromQL expression over a range of time", form, a.queryRange,
			"query", "start", "end", "step", "timeout", "limit", "lookback_delta", "stats"),
		route("/query_exemplars", "exemplars: there are none", form, a.queryExemplars, "query", "start", "end"),
		route("/format_query", "a PromQL expression with line breaks", form, a.formatQuery, "query"),
		route("/parse_query", "a PromQL expression as a tree", form, a.parseQuery, "query"),
		route("/series", "the labels of series", form, a.series, series...),
		route("/labels", "the names of labels", form, a.labelNames, series...),
		route("/label/{name}/values", "the values of a label", get, a.labelValues, series...),
		route("/metadata", "types and help texts of metrics", get, a.metadata, "metric", "limit", "limit_per_metric"),
		route("/targets", "what is scraped", get, a.targets, "state", "scrapePool"),
		route("/targets/metadata", "types and help texts of metrics, of each target", get, a.targetsMetadata, "match_target", "metric", "limit"),
		route("/scrape_pools", "the groups of what is scraped", get, a.scrapePools),
		route("/rules", "alerting rules and what came of them", get, a.rules,
			"type", "match[]", "rule_name[]", "rule_group[]", "file[]", "exclude_alerts", "group_limit", "group_next_token"),
		route("/alerts", "the alerts that are pending or firing", get, a.alerts),
		route("/alertmanagers", "alertmanagers: there are none", get, a.alertmanagers),
		route("/status/buildinfo", "the version of the query engine", get, a.buildInfo),
		route("/status/runtimeinfo", "the state of the process", get, a.runtimeInfo),
		route("/status/flags", "the flags of the process", get, a.flags),
		route("/status/config", "the configuration of a Prometheus: there is none", get, a.config),
		route("/features", "what the query engine can do", get, a.featureList),
		{prefix + "/read", "remote read, for a Prometheus", []string{http.MethodPost, http.MethodOptions}, []string{"strict"}, a.read},
	}
}

// handler answers a request.
type handler func(*request) (result, error)

// handle returns the handler of a route.
func (a *API) handle(methods []string, serve handler) http.HandlerFunc {
	return func(w http.ResponseWriter, hr *http.Request) {
		if !admitMethod(w, hr, methods) {
			return
		}
		ctx, cancel := context.WithTimeout(hr.Context(), a.cfg.Limits.Timeout)
		defer cancel()
		r, err := newRequest(w, hr.WithContext(ctx))
		if err != nil {
			respondError(w, apiErrorOf(err))
			return
		}
		defer r.end()
		res, err := serve(r)
		if err != nil {
			a.fail(w, hr, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := respond(w, res, r.form.Get("query"), r.yield); err != nil {
			a.fail(w, hr, newError(errorInternal, err.Error()))
		}
	}
}

// admitMethod answers requests with a method that the route does not have, and OPTIONS.
func admitMethod(w http.ResponseWriter, r *http.Request, methods []string) bool {
	switch {
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", strings.Join(methods, ", "))
		w.WriteHeader(http.StatusNoContent)
		return false
	case !slices.Contains(methods, r.Method):
		w.Header().Set("Allow", strings.Join(methods, ", "))
		failure := badData("the method must be %s", strings.Join(methods, " or "))
		failure.status = http.StatusMethodNotAllowed
		respondError(w, failure)
		return false
	default:
		return true
	}
}

// fail answers with an error, and logs it if it is a fault of this process.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	failure := apiErrorOf(err)
	if failure.kind == errorInternal {
		a.cfg.Log.Error("query failed", zap.String("path", truncated(r.URL.Path)), zap.Error(err))
	}
	respondError(w, failure)
}
