package promapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/stats"
)

// maxPoints bounds the points of a series in a response, as a Prometheus does.
const maxPoints = 11_000

// queryData is the data of a response to a query.
type queryData struct {
	value parser.Value
	// stats is nil where the request did not ask for it.
	stats stats.QueryStats
}

func (a *API) query(r *request) (result, error) {
	limit, err := r.limit()
	if err != nil {
		return result{}, err
	}
	at, err := r.time("time", a.cfg.Now())
	if err != nil {
		return result{}, err
	}
	if err := checkEvalTime(at); err != nil {
		return result{}, badParameter("time", err)
	}
	return a.run(r, limit, func(ctx context.Context, e *promql.Engine, q storage.Queryable, o promql.QueryOpts) (promql.Query, error) {
		return e.NewInstantQuery(ctx, q, o, r.one("query"), at)
	})
}

func (a *API) queryRange(r *request) (result, error) {
	limit, err := r.limit()
	if err != nil {
		return result{}, err
	}
	start, end, step, err := r.evalRange()
	if err != nil {
		return result{}, err
	}
	return a.run(r, limit, func(ctx context.Context, e *promql.Engine, q storage.Queryable, o promql.QueryOpts) (promql.Query, error) {
		return e.NewRangeQuery(ctx, q, o, r.one("query"), start, end, step)
	})
}

// evalRange returns the parameters start, end and step. All of them must be given.
func (r *request) evalRange() (start, end time.Time, step time.Duration, err error) {
	for _, p := range []struct {
		name string
		at   *time.Time
	}{{"start", &start}, {"end", &end}} {
		if *p.at, err = parseTime(r.one(p.name)); err == nil {
			err = checkEvalTime(*p.at)
		}
		if err != nil {
			return start, end, 0, badParameter(p.name, err)
		}
	}
	if end.Before(start) {
		return start, end, 0, badParameter("end", errors.New("end timestamp must not be before start time"))
	}
	step, err = parseDuration(r.one("step"))
	switch {
	case err != nil:
	case step <= 0:
		err = errors.New("zero or negative query resolution step widths are not accepted. Try a positive integer")
	case step < time.Millisecond:
		err = fmt.Errorf("a step of %v is less than the least one, 1ms", step)
	}
	if err != nil {
		return start, end, 0, badParameter("step", err)
	}
	if end.Sub(start)/step > maxPoints {
		return start, end, 0, badData("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")
	}
	return start, end, step, nil
}

// newQuery returns the query of a request, for an engine.
type newQuery func(context.Context, *promql.Engine, storage.Queryable, promql.QueryOpts) (promql.Query, error)

// run evaluates a query, when it is its turn.
func (a *API) run(r *request, limit int, newQuery newQuery) (result, error) {
	ctx, err := r.withTimeout()
	if err != nil {
		return result{}, err
	}
	options, err := r.queryOptions()
	if err != nil {
		return result{}, err
	}
	q, kind, err := a.plan(ctx, r, options, newQuery)
	if err != nil {
		return result{}, err
	}
	r.slot = &slot{admission: a.admission, kind: kind}
	got, err := a.evaluate(ctx, r, q, r.slot)
	if err != nil {
		return result{}, err
	}
	res := result{warnings: got.Warnings}
	if limit > 0 && truncate(got, limit) {
		res.warnings = res.warnings.Add(errTruncated)
	}
	data := queryData{value: got.Value}
	if param := r.one("stats"); param != "" {
		if param != "all" && param != "true" {
			res.warnings = res.warnings.Add(fmt.Errorf("value %q for parameter \"stats\" is deprecated and will be rejected in the next major release, use \"true\" or \"all\"", truncated(param)))
		}
		data.stats = stats.NewQueryStats(q.Stats())
	}
	res.data = data
	return res, nil
}

// plan parses a query, and returns it for the engine of its kind.
func (a *API) plan(ctx context.Context, r *request, options promql.QueryOpts, newQuery newQuery) (promql.Query, kind, error) {
	queryable := cancelable{a.cfg.Storage.Queryable(promstore.Options{Strict: r.strict})}
	q, err := newQuery(ctx, a.engines[live], queryable, options)
	if err != nil {
		return nil, 0, badParameter("query", err)
	}
	c := costOf(q.Statement().(*parser.EvalStmt))
	kind := c.kind()
	if err := c.check(a.maxSamples[kind]); err != nil {
		return nil, 0, err
	}
	if kind != live {
		if q, err = newQuery(ctx, a.engines[kind], queryable, options); err != nil {
			return nil, 0, badParameter("query", err)
		}
	}
	return q, kind, nil
}

// withTimeout returns the context of a request with the parameter timeout.
func (r *request) withTimeout() (context.Context, error) {
	value := r.one("timeout")
	if value == "" {
		return r.Context(), nil
	}
	timeout, err := parseDuration(value)
	if err != nil {
		return nil, badParameter("timeout", err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	r.finally(cancel)
	return ctx, nil
}

func (r *request) queryOptions() (promql.QueryOpts, error) {
	var lookback time.Duration
	if value := r.one("lookback_delta"); value != "" {
		var err error
		if lookback, err = parseDuration(value); err != nil {
			return nil, badData("error parsing lookback delta duration: %v", err)
		}
	}
	return promql.NewPrometheusQueryOpts(r.one("stats") == "all", lookback), nil
}

// truncate cuts off the series of a result that are over the limit, and reports whether there
// were any.
func truncate(r *promql.Result, limit int) bool {
	switch v := r.Value.(type) {
	case promql.Vector:
		if len(v) > limit {
			r.Value = v[:limit]
			return true
		}
	case promql.Matrix:
		if len(v) > limit {
			r.Value = v[:limit]
			return true
		}
	}
	return false
}

// queryExemplars answers that there are none: pages are recorded without them.
func (a *API) queryExemplars(r *request) (result, error) {
	start, end, err := r.timeRange()
	if err != nil {
		return result{}, err
	}
	if end.Before(start) {
		return result{}, badData("end timestamp must not be before start timestamp")
	}
	expr, err := a.parser.ParseExpr(r.one("query"))
	if err != nil {
		return result{}, badData("%v", err)
	}
	if len(parser.ExtractSelectors(expr)) == 0 {
		return result{}, nil
	}
	return result{data: []string{}}, nil
}
