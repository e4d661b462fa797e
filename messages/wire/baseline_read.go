package wire

import (
	"errors"
	"strings"
	"time"

	"fodc/messages"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// fromMetrics turns the samples of a baseline answer into blocks, see Table.Blocks. Families
// and series stay in the order in which they first appear. at is the time of the samples that
// say none.
func fromMetrics(metrics []*Metric, at time.Time, rej *Rejections) []messages.Block {
	r := baselineReader{
		rej:        rej,
		at:         at.UnixMilli(),
		texts:      map[string]int{},
		familyKeys: map[familyKey]int{},
		seriesKeys: make(map[seriesKey]int, min(len(metrics), 1024)),
		table:      Table{Samples: make([]Sample, 0, len(metrics))},
		nameErr:    messages.CheckMetricName(""),
	}
	for _, m := range metrics {
		r.read(m)
	}
	return r.table.Blocks(rej)
}

type familyKey struct {
	name string
	kind messages.MetricType
}

type seriesKey struct {
	family, text int
	suffix       messages.Suffix
}

// invalidText stands for the index of an invalid label text.
const invalidText = -1

// baselineReader reads samples one by one. Consecutive samples of one family or series cost one
// look-up.
type baselineReader struct {
	rej *Rejections
	at  int64

	texts      map[string]int // index in labelTexts, or invalidText
	labelTexts []messages.LabelText
	familyKeys map[familyKey]int
	seriesKeys map[seriesKey]int
	series     []seriesKey
	table      Table

	name    string // of the sample before
	nameErr error
	family  int              // of the sample before
	labels  []messages.Label // scratch
	text    []byte           // scratch
}

var errNoMetric = errors.New("a metric is absent")

func (r *baselineReader) read(m *Metric) {
	if m == nil {
		r.rej.Add(1, errNoMetric)
		return
	}
	if m.Name != r.name {
		r.name, r.nameErr = m.Name, messages.CheckMetricName(m.Name)
	}
	if r.nameErr != nil {
		r.rej.Add(1, r.nameErr)
		return
	}
	kind, ok := TypeOf(m.Type)
	if !ok {
		r.rej.Addf(1, "metric %.100q: unknown type %d", m.Name, m.Type)
		return
	}
	at := r.at
	if m.Timestamp != nil {
		if !m.Timestamp.IsValid() {
			r.rej.Addf(1, "metric %.100q: invalid timestamp of %d s and %d ns", m.Name,
				m.Timestamp.GetSeconds(), m.Timestamp.GetNanos())
			return
		}
		at = UnixMilli(m.Timestamp)
	}
	text, err := r.textOf(m.Labels)
	if text == invalidText {
		r.rej.Addf(1, "metric %.100q: %w", m.Name, err)
		return
	}
	if messages.IsGap(m.Value) {
		return
	}
	name, suffix := SplitName(m.Name, kind, m.Labels["quantile"] != "")
	key := seriesKey{family: r.familyOf(name, kind, m.Description), text: text, suffix: suffix}
	r.table.Samples = append(r.table.Samples, Sample{Series: r.seriesOf(key), Time: at, Value: m.Value})
}

// UnixMilli converts a valid timestamp to unix milliseconds.
func UnixMilli(t *timestamppb.Timestamp) int64 {
	return t.GetSeconds()*1000 + int64(t.GetNanos())/int64(time.Millisecond)
}

// SplitName splits the name of a sample of a histogram or summary into family and suffix. A
// sample with a quantile has no suffix, whatever the name ends in.
func SplitName(name string, kind messages.MetricType, quantile bool) (string, messages.Suffix) {
	if kind != messages.TypeHistogram && kind != messages.TypeSummary || quantile && kind == messages.TypeSummary {
		return name, messages.SuffixNone
	}
	for s := messages.SuffixBucket; s <= messages.SuffixCount; s++ {
		base, found := strings.CutSuffix(name, s.String())
		if found && base != "" && kind.Has(s) {
			return base, s
		}
	}
	return name, messages.SuffixNone
}

// textOf returns the index of the labels' text, after its names were made valid, or invalidText.
// A label with an empty value is no label, whatever its name. The error is set the first time only.
func (r *baselineReader) textOf(labels map[string]string) (int, error) {
	r.labels = r.labels[:0]
	for name, value := range labels {
		if value != "" {
			r.labels = append(r.labels, messages.Label{Name: name, Value: value})
		}
	}
	r.text = messages.AppendLabels(r.text[:0], r.labels)
	if i, known := r.texts[string(r.text)]; known {
		return i, nil
	}
	text := string(r.text)
	if err := messages.CheckLabelText(messages.LabelText(text)); err != nil {
		r.texts[text] = r.sanitize()
		return r.texts[text], err
	}
	return r.newText(text), nil
}

func (r *baselineReader) newText(text string) int {
	i := len(r.labelTexts)
	r.texts[text] = i
	r.labelTexts = append(r.labelTexts, messages.LabelText(text))
	return i
}

// sanitize makes the names of r.labels valid and returns the index of their text, or
// invalidText if the labels are invalid for another reason.
func (r *baselineReader) sanitize() int {
	if messages.SanitizeLabels(r.labels) == 0 {
		return invalidText
	}
	text := string(messages.RenderLabels(r.labels))
	i, known := r.texts[text]
	switch {
	case known && i == invalidText, !known && messages.CheckLabelText(messages.LabelText(text)) != nil:
		return invalidText
	case !known:
		i = r.newText(text)
	}
	r.rej.Sanitized++
	return i
}

// familyOf returns the index of the family, which gets the help of its first sample.
func (r *baselineReader) familyOf(name string, kind messages.MetricType, help string) int {
	if len(r.table.Families) > 0 && r.table.Families[r.family].Name == name && r.table.Families[r.family].Type == kind {
		return r.family
	}
	key := familyKey{name, kind}
	i, known := r.familyKeys[key]
	if !known {
		i = len(r.table.Families)
		r.familyKeys[key] = i
		r.table.Families = append(r.table.Families, messages.Family{Name: name, Type: kind, Help: HelpOf(name, help, r.rej)})
	}
	r.family = i
	return i
}

func (r *baselineReader) seriesOf(key seriesKey) int {
	if n := len(r.table.Samples); n > 0 && r.series[r.table.Samples[n-1].Series] == key {
		return r.table.Samples[n-1].Series
	}
	i, known := r.seriesKeys[key]
	if !known {
		i = len(r.series)
		r.seriesKeys[key] = i
		r.series = append(r.series, key)
		r.table.Series = append(r.table.Series, TableSeries{Family: key.family, Suffix: key.suffix, Labels: r.labelTexts[key.text]})
	}
	return i
}
