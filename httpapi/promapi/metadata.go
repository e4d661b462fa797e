package promapi

import (
	"cmp"
	"slices"

	"fodc/messages"
	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/util/annotations"
)

// metadataEntry is what a response says of a metric.
type metadataEntry struct {
	Type string `json:"type"`
	Help string `json:"help"`
	// Unit is always empty: pages do not have it.
	Unit string `json:"unit"`
}

// targetEntry is what a response says of a metric of a target.
type targetEntry struct {
	Target labels.Labels `json:"target"`
	// Metric is left out if the request asks for one metric.
	Metric string `json:"metric,omitempty"`
	metadataEntry
}

func (a *API) metadata(r *request) (result, error) {
	limit, err := r.number("limit")
	if err != nil {
		return result{}, err
	}
	perMetric, err := r.number("limit_per_metric")
	if err != nil {
		return result{}, err
	}
	all, warnings, err := a.storedMetadata(r, r.one("metric"))
	if err != nil {
		return result{}, err
	}
	data := map[string][]metadataEntry{}
	for _, m := range all {
		entries, known := data[m.Name]
		entry := metadataEntry{Type: typeName(m.Type), Help: m.Help}
		switch {
		case !known && limit >= 0 && len(data) >= limit:
		case slices.Contains(entries, entry), perMetric > 0 && len(entries) >= perMetric:
		default:
			data[m.Name] = append(entries, entry)
		}
	}
	return result{data: data, warnings: warnings}, nil
}

func (a *API) targetsMetadata(r *request) (result, error) {
	limit, err := r.number("limit")
	if err != nil {
		return result{}, err
	}
	var matchers []*labels.Matcher
	if text := r.one("match_target"); text != "" {
		if matchers, err = a.parser.ParseMetricSelector(text); err != nil {
			return result{}, badParameter("match_target", err)
		}
	}
	metric := r.one("metric")
	all, warnings, err := a.storedMetadata(r, metric)
	if err != nil {
		return result{}, err
	}
	// Grouped by target. The limit is looked at before each target only, as in a Prometheus.
	slices.SortStableFunc(all, func(x, y promstore.Metadata) int { return cmp.Compare(x.Node.NodeID, y.Node.NodeID) })
	data := []targetEntry{}
	for from := 0; from < len(all) && (limit < 0 || len(data) < limit); {
		node := all[from].Node
		target, to := targetLabels(node), from
		for ; to < len(all) && all[to].Node.NodeID == node.NodeID; to++ {
			m := all[to]
			if !matchesAll(target, matchers) {
				continue
			}
			entry := targetEntry{Target: target, metadataEntry: metadataEntry{Type: typeName(m.Type), Help: m.Help}}
			if metric == "" {
				entry.Metric = m.Name
			}
			data = append(data, entry)
		}
		from = to
	}
	return result{data: data, warnings: warnings}, nil
}

// storedMetadata asks the storage when it is the request's turn.
func (a *API) storedMetadata(r *request, metric string) ([]promstore.Metadata, annotations.Annotations, error) {
	s := &slot{admission: a.admission, kind: live}
	if err := s.wait(r.Context()); err != nil {
		return nil, nil, err
	}
	defer s.release()
	return a.cfg.Storage.Metadata(r.Context(), promstore.Options{Strict: r.strict}, metric)
}

// targetLabels returns the labels of a node.
func targetLabels(id messages.Identity) labels.Labels {
	b := labels.NewScratchBuilder(4)
	for _, l := range id.AppendSampleLabels(nil) {
		b.Add(l.Name, l.Value)
	}
	b.Sort()
	return b.Labels()
}

func matchesAll(l labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(l.Get(m.Name)) {
			return false
		}
	}
	return true
}

// typeName returns the type as Prometheus names it.
func typeName(t messages.MetricType) string {
	if t == messages.TypeUnknown || t == messages.TypeUntyped {
		return "unknown"
	}
	return t.String()
}
