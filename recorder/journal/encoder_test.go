package journal

import (
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder"
)

// gauges returns a batch of a gauge with series of the given numbers.
func gauges(number int64, from, to int) *recorder.Batch {
	l := &recorder.SeriesList{Families: []recorder.Family{{Name: "g", Type: messages.TypeGauge}}}
	for i := from; i < to; i++ {
		l.Keys = append(l.Keys, recorder.SeriesKey{Name: "g", Labels: messages.LabelText(`n="` + strconv.Itoa(i) + `"`)})
	}
	l.FamilyOf = make([]int32, len(l.Keys))
	return &recorder.Batch{Number: number, Target: "t", At: created + 10_000*number, Series: l, Values: make([]float64, len(l.Keys))}
}

// What cannot be encoded is an error that says why, and the encoder goes on as if it had never
// been there.
func TestEncoderRefuses(t *testing.T) {
	f := func(want string, change func(b *recorder.Batch)) {
		t.Helper()
		first, third := gauges(1, 0, 3), gauges(3, 0, 4)
		segment, _, e := encoded(t, []*recorder.Batch{first})
		bad := gauges(2, 2, 6)
		change(bad)
		same, err := e.appendScrape(segment, bad, bad.Number)
		require.ErrorContains(t, err, want)
		require.Equal(t, segment, same)
		segment, err = e.appendScrape(segment, third, third.Number)
		require.NoError(t, err)
		got, _, _, _ := scanAll(t, segment)
		requireSameBatches(t, []*recorder.Batch{first, third}, got)
	}
	f("scrape number 1 does not ascend: the last one is 1", func(b *recorder.Batch) { b.Number = 1 })
	f("series and values differ in number", func(b *recorder.Batch) { b.Values = b.Values[1:] })
	f("with a series twice", func(b *recorder.Batch) { b.Series.Keys[0] = b.Series.Keys[3] })
	f("with a series twice", func(b *recorder.Batch) { b.Series.Keys[3] = b.Series.Keys[0] })
	f("target name of 5000 bytes, a segment's may have 4096", func(b *recorder.Batch) { b.Target = strings.Repeat("x", 5000) })
	f("labels \"a\": not a label text", func(b *recorder.Batch) { b.Series.Keys[3].Labels = "a" })
	f("metric name is empty", func(b *recorder.Batch) { b.Series.Keys[3].Name = "" })
	f("unknown suffix 4", func(b *recorder.Batch) { b.Series.Keys[3].Suffix = 4 })
	f(`family "g" has a help of 40000 bytes, at most 32768`, func(b *recorder.Batch) { b.Series.Families[0].Help = strings.Repeat("x", 40_000) })
}

// A segment that has no room for more series says so, and takes those that it has.
func TestSegmentFull(t *testing.T) {
	segment, _, e := encoded(t, []*recorder.Batch{gauges(1, 0, 3)})
	e.series = maxSeries - 1
	_, err := e.appendScrape(segment, gauges(2, 0, 5), 2)
	require.ErrorIs(t, err, errSegmentFull)
	_, err = e.appendScrape(segment, gauges(2, 0, 4), 2)
	require.NoError(t, err)
	_, err = e.appendScrape(segment, gauges(3, 0, 5), 3)
	require.ErrorIs(t, err, errSegmentFull)
	_, err = e.appendScrape(segment, gauges(3, 1, 4), 3)
	require.NoError(t, err)
}

// A segment whose series come and go is stale at some time, one with as many that stay is not.
func TestStaleSegment(t *testing.T) {
	const each = 4_000
	var e *encoder
	_, _, e = encoded(t, []*recorder.Batch{gauges(1, 0, 10*each), gauges(2, 0, 0), gauges(3, 0, 10*each)})
	require.False(t, e.isStale())
	var churn []*recorder.Batch
	for n := range int64(staleSeries/each + 2) {
		_, _, e = encoded(t, churn)
		require.False(t, e.isStale())
		churn = append(churn, gauges(n+1, int(n)*each, int(n+1)*each))
	}
	_, _, e = encoded(t, churn)
	require.True(t, e.isStale())
}

// A window may have 200,000 series, and each may be one of a family of its own.
func TestAsManyFamiliesAsSeries(t *testing.T) {
	const n = 200_000
	l := &recorder.SeriesList{}
	for i := range n {
		name := "family_" + strconv.Itoa(i)
		l.Families = append(l.Families, recorder.Family{Name: name})
		l.Keys, l.FamilyOf = append(l.Keys, recorder.SeriesKey{Name: name}), append(l.FamilyOf, int32(i))
	}
	b := &recorder.Batch{Number: 1, Target: "t", At: created, Series: l, Values: make([]float64, n)}
	segment, _, e := encoded(t, []*recorder.Batch{b})
	require.False(t, e.isStale())
	got, _, _, err := scanAll(t, segment)
	require.Equal(t, io.EOF, err)
	requireSameBatches(t, []*recorder.Batch{b}, got)
}
