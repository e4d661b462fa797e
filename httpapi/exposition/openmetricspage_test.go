package exposition

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// inParts writes each collection as a part of one page.
func inParts(t *testing.T, parts ...*messages.Collection) string {
	t.Helper()
	var b bytes.Buffer
	p := NewOpenMetricsPage(&b, Options{})
	for _, c := range parts {
		require.NoError(t, p.Add(c))
	}
	_, err := p.Close()
	require.NoError(t, err)
	parseOpen(t, b.Bytes())
	return b.String()
}

func TestPartsAreOnePage(t *testing.T) {
	h := family("h", histogram, "H.", suffixed(messages.SuffixBucket, `le="1"`, 1, 2), suffixed(messages.SuffixCount, "", 1, 2))
	a, b := family("a_total", counter, "A.", one(`x="1"`, 1, 2)), family("b", gauge, "", one("", 3, messages.Gap))
	of := func(families ...messages.Family) *messages.Collection {
		block := messages.Block{Times: []int64{1000, 2000}, Families: families}
		return collection(answer("n", block), answer("m", block))
	}
	whole, _ := openText(t, of(a, b, h))
	whole += openEnd
	require.Equal(t, 3, strings.Count(whole, "# TYPE"))
	require.Equal(t, whole, inParts(t, of(a, b, h)))
	require.Equal(t, whole, inParts(t, of(a), of(b), of(h)))
	require.Equal(t, whole, inParts(t, of(a), of(), of(b, h)))
	require.Equal(t, openEnd, inParts(t))
}

func TestFamilyInPartsHasOneHead(t *testing.T) {
	of := func(series ...messages.Series) *messages.Collection {
		return collection(answer("n", block(1000, family("a", gauge, "A.", series...))))
	}
	want, _ := openText(t, of(one(`x="1"`, 1), one(`x="2"`, 2)))
	require.Equal(t, want+openEnd, inParts(t, of(one(`x="1"`, 1)), of(one(`x="2"`, 2))))
}

func TestPartMayHaveNamesOfTheProxy(t *testing.T) {
	c := collection(answer("n", block(1000, family(FamilyUp, gauge, "", one("", 1)))))
	require.Contains(t, inParts(t, c), FamilyUp)
	page, conflicts := openText(t, c)
	require.Empty(t, page)
	require.Equal(t, Conflicts{Reserved: 1}, conflicts)
}

func TestPartsCountConflictsTogether(t *testing.T) {
	c := collection(answer("n", block(1000, family("a", gauge, "", one("", 1), one("", 1)))))
	p := NewOpenMetricsPage(io.Discard, Options{})
	require.NoError(t, errors.Join(p.Add(c), p.Add(c)))
	conflicts, err := p.Close()
	require.NoError(t, err)
	require.Equal(t, Conflicts{Duplicate: 2}, conflicts)
}

func TestPartsStopAtAnError(t *testing.T) {
	series := make([]messages.Series, 2000)
	for i := range series {
		series[i] = one(`x="`+strings.Repeat("y", i)+`"`, 1)
	}
	c := collection(answer("n", block(1000, family("a", gauge, "", slices.Clip(series)...))))
	p := NewOpenMetricsPage(brokenWriter{}, Options{})
	require.ErrorIs(t, p.Add(c), io.ErrClosedPipe)
	require.ErrorIs(t, p.Add(c), io.ErrClosedPipe)
	_, err := p.Close()
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
