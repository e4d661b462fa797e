package messages

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNormalizedDescriptors(t *testing.T) {
	of := func(suffix Suffix, kind MetricType, text LabelText) Series {
		return Series{Suffix: suffix, Labels: text, Info: InternLabelInfo(text, BoundName(kind, suffix))}
	}
	f := func(want bool, name string, kind MetricType, series ...Series) {
		t.Helper()
		s := NewDescriptor(name, kind, "Help.", series)
		require.Equal(t, want, s.Normalized)
		var family Family
		family.SetDescriptor(s)
		require.Equal(t, Family{Name: name, Type: kind, Help: "Help.", Series: series, Descriptor: s}, family)
	}
	gauge := func(text LabelText) Series { return of(SuffixNone, TypeGauge, text) }
	f(true, "x", TypeGauge)
	f(true, "x", TypeGauge, gauge(``), gauge(`a="1"`), gauge(`a="1",b="2"`), gauge(`a="2"`))
	f(false, "x.y", TypeGauge, gauge(`a="1"`))
	f(false, "x", TypeGauge, gauge(`a="2"`), gauge(`a="1"`))
	f(false, "x", TypeGauge, gauge(`a="1"`), gauge(`a="1"`))
	f(false, "x", TypeGauge, gauge(`"a.b"="1"`))
	f(false, "x", TypeGauge, gauge(`node_id="1"`))
	f(false, "x", TypeGauge, Series{Labels: `a="1"`})
	f(false, "x", TypeGauge, Series{Labels: `a="1"`, Info: InternLabelInfo(`a="2"`, "")})
	f(false, "x", TypeGauge, of(SuffixSum, TypeGauge, ``))
	f(false, "x", TypeHistogram, of(SuffixCount+1, TypeHistogram, ``))
	claimed := LabelText(`node_id="1"`)
	f(false, "x", TypeGauge, Series{Labels: `a="1"`, Claimed: &claimed, Info: InternLabelInfo(`a="1"`, "")})

	part := func(suffix Suffix, text LabelText) Series { return of(suffix, TypeHistogram, text) }
	f(true, "x", TypeHistogram,
		part(SuffixBucket, `le="9"`), part(SuffixBucket, `le="10"`), part(SuffixBucket, `le="+Inf"`), part(SuffixSum, ``), part(SuffixCount, ``),
		part(SuffixBucket, `a="1",le="0.5"`), part(SuffixSum, `a="1"`))
	f(false, "x", TypeHistogram, part(SuffixBucket, `le="10"`), part(SuffixBucket, `le="9"`))
	f(false, "x", TypeHistogram, part(SuffixCount, ``), part(SuffixSum, ``))
	f(false, "x", TypeHistogram, Series{Suffix: SuffixBucket, Labels: `le="1"`, Info: InternLabelInfo(`le="1"`, "")})
	f(true, "x", TypeSummary, of(SuffixNone, TypeSummary, `quantile="0.5"`), of(SuffixNone, TypeSummary, `quantile="0.99"`))
}

// A family shows its series the same way whether it has a descriptor or not.
func TestSeriesOfAFamily(t *testing.T) {
	claimed, other := LabelText(`node_id="1"`), LabelText(`node_id="2"`)
	f := Family{Claimed: &claimed, Values: []float64{1, 2, 3, 4}, LabelBytes: 30}
	f.SetDescriptor(NewDescriptor("x", TypeGauge, "Help.", []Series{{Labels: `a="1"`}, {Labels: `a="2"`, Claimed: &other}}))
	want := []Series{
		{Labels: `a="1"`, Claimed: &claimed, Values: []float64{1, 2}},
		{Labels: `a="2"`, Claimed: &other, Values: []float64{3, 4}},
	}
	for i := range want {
		require.Equal(t, want[i], f.At(i))
	}
	descriptor := f.Descriptor
	f.Unshare()
	require.Equal(t, Family{Name: "x", Type: TypeGauge, Help: "Help.", Series: want}, f)
	for i := range want {
		require.Equal(t, want[i], f.At(i))
	}
	require.Equal(t, []Series{{Labels: `a="1"`}, {Labels: `a="2"`, Claimed: &other}}, descriptor.Series, "others have it too")
}
