package journal

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"math/rand"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder"
)

// created is when segments of tests are created, in unix milliseconds.
const created = 1_700_000_000_000

var testHeader = Header{Number: 7, Created: created, Node: Node{
	NodeID: "10.0.0.1:17912", Role: "data", PodName: "banyandb-0", AgentVersion: "v1.2.3",
	Labels: map[string]string{"zone": "b", "tier": "hot"},
}}

// encoded returns a segment of the batches, which get the numbers that they have, and where its
// frames end.
func encoded(t testing.TB, batches []*recorder.Batch) (segment []byte, ends []int, e *encoder) {
	t.Helper()
	e = newEncoder(testHeader)
	segment, err := e.appendHeader(nil)
	require.NoError(t, err)
	for _, b := range batches {
		ends = append(ends, len(segment))
		segment, err = e.appendScrape(segment, b, b.Number)
		require.NoError(t, err)
	}
	return segment, append(ends, len(segment)), e
}

// batchOf returns what a scrape recorded, as the batch that it was encoded from.
func batchOf(s *scrape) *recorder.Batch {
	l := &recorder.SeriesList{Families: slices.Clone(s.target.families)}
	for _, id := range s.members {
		l.Keys, l.FamilyOf = append(l.Keys, s.target.keys[id]), append(l.FamilyOf, s.target.familyOf[id])
	}
	return &recorder.Batch{Number: s.number, Target: s.target.name, At: s.at, Failure: s.failure, Series: l, Values: slices.Clone(s.values)}
}

// scanAll returns all scrapes and marks of a segment, and the error at its end.
func scanAll(t testing.TB, segment []byte) (batches []*recorder.Batch, marks []Mark, s *scanner, end error) {
	t.Helper()
	s, h, err := newScanner(bytes.NewReader(segment), int64(len(segment)))
	if err != nil {
		return nil, nil, nil, err
	}
	require.Equal(t, testHeader, h)
	for {
		r, err := s.next()
		if err != nil {
			return batches, marks, s, err
		}
		if r.scrape != nil {
			batches = append(batches, batchOf(r.scrape))
		} else {
			marks = append(marks, r.mark)
		}
	}
}

type seriesSample struct {
	recorder.Family
	recorder.SeriesKey
	bits uint64
}

// samplesOf returns the samples of a batch in an order that does not depend on that of its list.
func samplesOf(b *recorder.Batch) (samples []seriesSample) {
	for i, k := range b.Series.Keys {
		samples = append(samples, seriesSample{b.Series.Families[b.Series.FamilyOf[i]], k, math.Float64bits(b.Values[i])})
	}
	slices.SortFunc(samples, func(a, b seriesSample) int {
		return cmp.Or(cmp.Compare(a.SeriesKey.Name, b.SeriesKey.Name), cmp.Compare(a.Suffix, b.Suffix), cmp.Compare(a.Labels, b.Labels))
	})
	return samples
}

// sameOrder reports whether two batches are the same, and have their series in the same order.
func sameOrder(a, b *recorder.Batch) bool {
	if a.Number != b.Number || a.Target != b.Target || a.At != b.At || a.Failure != b.Failure || !slices.Equal(a.Series.Keys, b.Series.Keys) {
		return false
	}
	for i, v := range a.Values {
		if math.Float64bits(v) != math.Float64bits(b.Values[i]) || a.Series.Families[a.Series.FamilyOf[i]] != b.Series.Families[b.Series.FamilyOf[i]] {
			return false
		}
	}
	return true
}

// requireSameBatches checks that batches came back as they were.
func requireSameBatches(t testing.TB, want, got []*recorder.Batch) {
	t.Helper()
	require.Len(t, got, len(want))
	for i, w := range want {
		g := got[i]
		if sameOrder(w, g) {
			continue
		}
		require.Equal(t, []any{w.Number, w.Target, w.At, w.Failure}, []any{g.Number, g.Target, g.At, g.Failure}, "batch %d", i)
		require.Equal(t, samplesOf(w), samplesOf(g), "batch %d", i)
	}
}

// randomBatches returns scrapes of two targets whose series come and go, with families that
// change, failures and values of all kinds.
func randomBatches(rng *rand.Rand, n int) (batches []*recorder.Batch) {
	lists := make([]*recorder.SeriesList, 2)
	at, number := int64(created), int64(rng.Intn(1000))
	for range n {
		at += int64(rng.Intn(20_000)) - 100
		number += 1 + int64(rng.Intn(3))
		which := rng.Intn(len(lists))
		if lists[which] == nil || rng.Intn(4) == 0 {
			lists[which] = randomList(rng)
		}
		b := &recorder.Batch{Number: number, Target: "target-" + strconv.Itoa(which), At: at, Series: lists[which]}
		if rng.Intn(5) == 0 {
			b.Failure = "connection refused " + strconv.Itoa(rng.Intn(2))
		}
		for range b.Series.Keys {
			b.Values = append(b.Values, randomValue(rng))
		}
		batches = append(batches, b)
	}
	return batches
}

func randomList(rng *rand.Rand) *recorder.SeriesList {
	l := &recorder.SeriesList{}
	for f := range 4 {
		name := "banyandb_family_" + strconv.Itoa(f)
		l.Families = append(l.Families, recorder.Family{
			Name: name, Type: messages.MetricType(rng.Intn(3)), Help: "help " + strconv.Itoa(rng.Intn(2)), FromAgent: f == 3,
		})
		for s := range 6 {
			if rng.Intn(4) > 0 {
				key := recorder.SeriesKey{Name: name, Suffix: messages.Suffix(s % 4), Labels: messages.LabelText(`series="` + strconv.Itoa(s) + `"`)}
				l.Keys, l.FamilyOf = append(l.Keys, key), append(l.FamilyOf, int32(f))
			}
		}
	}
	if rng.Intn(3) == 0 {
		rng.Shuffle(len(l.Keys), func(i, j int) {
			l.Keys[i], l.Keys[j] = l.Keys[j], l.Keys[i]
			l.FamilyOf[i], l.FamilyOf[j] = l.FamilyOf[j], l.FamilyOf[i]
		})
	}
	return l
}

func randomValue(rng *rand.Rand) float64 {
	switch rng.Intn(6) {
	case 0:
		return math.Float64frombits(rng.Uint64())
	case 1:
		return []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.Float64frombits(0x7ff8dead0000beef)}[rng.Intn(5)]
	case 2:
		return rng.NormFloat64()
	case 3:
		return float64(rng.Intn(1_000_000)) / 1000
	default:
		return float64(rng.Intn(4))
	}
}

// What was written is read again, bit by bit, and the information of the segment is the same
// whether its encoder has it, its index or a scan.
func TestRoundTrip(t *testing.T) {
	for seed := range int64(50) {
		batches := randomBatches(rand.New(rand.NewSource(seed)), 60)
		segment, _, e := encoded(t, batches)
		segment = e.appendMark(segment, Mark{MarkAgentStopped, created + 5})
		got, marks, s, err := scanAll(t, segment)
		require.Equal(t, io.EOF, err)
		requireSameBatches(t, batches, got)
		require.Equal(t, []Mark{{MarkAgentStopped, created + 5}}, marks)

		want := e.info.clone()
		want.Size = int64(len(segment))
		require.Equal(t, want, s.info)
		scanned, err := readInfo(bytes.NewReader(segment), int64(len(segment)))
		require.NoError(t, err)
		require.Equal(t, want, scanned)

		segment = e.appendIndex(segment, int64(len(segment)), created+9)
		want.Size, want.Closed = int64(len(segment)), created+9
		indexed, err := readInfo(bytes.NewReader(segment), int64(len(segment)))
		require.NoError(t, err)
		require.Equal(t, want, indexed)
		again, _, s, err := scanAll(t, segment)
		require.Equal(t, io.EOF, err)
		require.Equal(t, want, s.info)
		requireSameBatches(t, batches, again)
	}
}
