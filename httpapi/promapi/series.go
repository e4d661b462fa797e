package promapi

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"fodc/recorder/promstore"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// seriesParams are the parameters of requests for series and labels.
type seriesParams struct {
	limit      int
	start, end time.Time
	matchers   [][]*labels.Matcher
}

// seriesParams reads the parameters. That match[] is wrong is an error of badMatchers.
func (r *request) seriesParams(badMatchers func(error) error) (p seriesParams, err error) {
	if p.limit, err = r.limit(); err != nil {
		return p, err
	}
	if p.start, p.end, err = r.timeRange(); err != nil {
		return p, err
	}
	if p.matchers, err = r.matchers(); err != nil {
		return p, badMatchers(err)
	}
	return p, nil
}

func plainBadData(err error) error { return badData("%v", err) }

// querier returns a querier for the request when it is its turn. Both end with the request.
func (a *API) querier(r *request, p seriesParams) (storage.Querier, error) {
	s := &slot{admission: a.admission, kind: long}
	if p.end.Sub(p.start) <= liveRange {
		s.kind = live
	}
	if err := s.wait(r.Context()); err != nil {
		return nil, err
	}
	r.slot = s
	r.finally(s.release)
	r.Request = r.WithContext(context.WithValue(r.Context(), slotKey{}, s))
	q, err := a.cfg.Storage.Queryable(promstore.Options{Strict: r.strict}).Querier(timestamp.FromTime(p.start), timestamp.FromTime(p.end))
	if err != nil {
		return nil, err
	}
	r.finally(func() { _ = q.Close() }) // It has nothing to lose.
	return cancelableQuerier{q}, nil
}

// funcSeries is the function of a selection that needs the series only, no samples.
const funcSeries = "series"

// selected returns the series of each selector. They are not sorted: a storage may have to make all
// that are, at once, and there may be hundreds of selectors.
func selected(ctx context.Context, q storage.Querier, p seriesParams, limit int) []storage.SeriesSet {
	hints := &storage.SelectHints{
		Start: timestamp.FromTime(p.start), End: timestamp.FromTime(p.end), Func: funcSeries, Limit: hintLimit(limit),
	}
	sets := make([]storage.SeriesSet, len(p.matchers))
	for i, m := range p.matchers {
		sets[i] = q.Select(ctx, false, hints, m...)
	}
	return sets
}

// seriesPerLook is after how many series it is looked whether the request is over.
const seriesPerLook = 128

// each calls visit for each series of the sets.
func each(ctx context.Context, sets []storage.SeriesSet, visit func(labels.Labels)) (warnings annotations.Annotations, err error) {
	for _, set := range sets {
		for i := 1; set.Next(); i++ {
			if err := ctx.Err(); i%seriesPerLook == 0 && err != nil {
				return nil, err
			}
			visit(set.At().Labels())
		}
		warnings.Merge(set.Warnings())
		if err := set.Err(); err != nil {
			return warnings, err
		}
	}
	return warnings, nil
}

func (a *API) series(r *request) (result, error) {
	if len(r.all("match[]")) == 0 {
		return result{}, badData("no match[] parameter provided")
	}
	p, err := r.seriesParams(func(err error) error { return badParameter("match[]", err) })
	if err != nil {
		return result{}, err
	}
	q, err := a.querier(r, p)
	if err != nil {
		return result{}, err
	}
	limit := p.limit
	if len(p.matchers) > 1 { // Several may select the same ones.
		limit = 0
	}
	res, found := result{}, []labels.Labels{}
	res.warnings, err = each(r.Context(), selected(r.Context(), q, p, limit), func(l labels.Labels) { found = append(found, l) })
	if err != nil {
		return result{}, err
	}
	if len(p.matchers) > 1 {
		slices.SortFunc(found, labels.Compare)
		found = slices.CompactFunc(found, labels.Equal)
	}
	res.data = cut(found, p.limit, &res.warnings)
	return res, nil
}

// cut returns the first values up to the limit, with a warning if there are more.
func cut[T any](values []T, limit int, warnings *annotations.Annotations) []T {
	if limit > 0 && len(values) > limit {
		warnings.Add(errTruncated)
		return values[:limit]
	}
	return values
}

func (a *API) labelNames(r *request) (result, error) {
	p, err := r.seriesParams(plainBadData)
	if err != nil {
		return result{}, err
	}
	return a.strings(r, p, func(q storage.Querier, h *storage.LabelHints, m []*labels.Matcher) ([]string, annotations.Annotations, error) {
		return q.LabelNames(r.Context(), h, m...)
	}, func(l labels.Labels, add func(string)) {
		l.Range(func(l labels.Label) { add(l.Name) })
	})
}

func (a *API) labelValues(r *request) (result, error) {
	name := r.PathValue("name")
	if strings.HasPrefix(name, "U__") {
		name = model.UnescapeName(name, model.ValueEncodingEscaping)
	}
	if !model.UTF8Validation.IsValidLabelName(name) {
		return result{}, badData("invalid label name: %q", name)
	}
	p, err := r.seriesParams(plainBadData)
	if err != nil {
		return result{}, err
	}
	return a.strings(r, p, func(q storage.Querier, h *storage.LabelHints, m []*labels.Matcher) ([]string, annotations.Annotations, error) {
		return q.LabelValues(r.Context(), name, h, m...)
	}, func(l labels.Labels, add func(string)) {
		if value := l.Get(name); value != "" {
			add(value)
		}
	})
}

// strings answers with names or values of labels. With several selectors they are taken from
// the series of all of them, in one selection, otherwise the storage is asked.
func (a *API) strings(r *request, p seriesParams,
	ask func(storage.Querier, *storage.LabelHints, []*labels.Matcher) ([]string, annotations.Annotations, error),
	take func(labels.Labels, func(string)),
) (result, error) {
	q, err := a.querier(r, p)
	if err != nil {
		return result{}, err
	}
	var (
		res   result
		found []string
	)
	if len(p.matchers) > 1 {
		set := map[string]bool{}
		add := func(s string) { set[s] = true }
		res.warnings, err = each(r.Context(), selected(r.Context(), q, p, 0), func(l labels.Labels) { take(l, add) })
		found = slices.Collect(maps.Keys(set))
	} else {
		found, res.warnings, err = ask(q, &storage.LabelHints{Limit: hintLimit(p.limit)}, slices.Concat(p.matchers...))
	}
	if err != nil {
		return result{}, err
	}
	slices.Sort(found)
	res.data = cut(found, p.limit, &res.warnings)
	return res, nil
}
