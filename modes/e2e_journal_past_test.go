//go:build e2e && linux

package modes_test

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/messages"
	flight "fodc/recorder"

	"github.com/stretchr/testify/require"
)

// past is what a journal has of a time before the test: a scrape at regular
// times. All values follow from the scrape and the series.
type past struct {
	target  string
	series  int
	from    time.Time
	every   time.Duration
	scrapes int
}

// pastPerFamily is how many series a family has.
const pastPerFamily = 10

func pastFamily(i int) string { return fmt.Sprintf("past_%04d", i/pastPerFamily) }

// pastValue is the value of the series i in a scrape: fast counters, slow ones, gauges that
// differ in all their bits, and constants in turn.
func pastValue(scrape, i int) float64 {
	switch i / pastPerFamily % 4 {
	case 0:
		return float64(scrape*(20+i%7) + int(mixed(scrape, i)%20))
	case 1:
		return float64((scrape + i) / 4)
	case 2:
		return float64(mixed(scrape, i)) / math.MaxUint64
	default:
		return float64(i)
	}
}

// mixed returns bits that look random.
func mixed(scrape, i int) uint64 {
	x := uint64(scrape)<<32 + uint64(i) + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// at returns the time of a scrape.
func (p past) at(scrape int) time.Time {
	return p.from.Add(time.Duration(scrape) * p.every).Truncate(time.Millisecond)
}

// end returns the time of the newest scrape.
func (p past) end() time.Time { return p.at(p.scrapes - 1) }

// list returns the series.
func (p past) list() *flight.SeriesList {
	l := &flight.SeriesList{}
	for i := range p.series {
		name := pastFamily(i)
		if i%pastPerFamily == 0 {
			kind := messages.TypeCounter
			if i/pastPerFamily%4 > 1 {
				kind = messages.TypeGauge
			}
			l.Families = append(l.Families, flight.Family{Name: name, Type: kind, Help: "A family of the past."})
		}
		labels := messages.LabelText(fmt.Sprintf(`group="sw_metric",i="%d",operation="write_batch"`, i%pastPerFamily))
		l.Keys = append(l.Keys, flight.SeriesKey{Name: name, Labels: labels})
		l.FamilyOf = append(l.FamilyOf, int32(len(l.Families)-1))
	}
	return l
}

// batches calls f with each scrape, oldest first.
func (p past) batches(f func(scrape int, b *flight.Batch)) {
	list := p.list()
	for n := range p.scrapes {
		values := make([]float64, p.series)
		for i := range values {
			values[i] = pastValue(n, i)
		}
		f(n, &flight.Batch{Number: int64(n + 1), Target: p.target, At: p.at(n).UnixMilli(), Series: list, Values: values})
	}
}

// requireWindow checks that a page with times has each sample of the past in an interval, once,
// and no other one of it.
func (p past) requireWindow(t *testing.T, page string, from, to time.Time) {
	t.Helper()
	seen := make([]bool, p.scrapes*p.series)
	count := 0
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "past_") {
			continue
		}
		scrape, i, v, err := p.sample(line)
		if err != nil {
			require.NoError(t, err, line)
		}
		if math.Float64bits(v) != math.Float64bits(pastValue(scrape, i)) || seen[scrape*p.series+i] {
			require.Fail(t, "wrong or twice", "scrape %d, series %d: %s", scrape, i, line)
		}
		seen[scrape*p.series+i] = true
		count++
	}
	want := 0
	for n := range p.scrapes {
		if at := p.at(n); !at.Before(from) && !at.After(to) {
			want += p.series
			require.NotContains(t, seen[n*p.series:(n+1)*p.series], false, "scrape %d at %s", n, at)
		}
	}
	require.Equal(t, want, count, "samples")
}

// sample returns which scrape and series a line of a page with times is of, and its value.
func (p past) sample(line string) (scrape, i int, v float64, err error) {
	family, rest, ok := strings.Cut(strings.TrimPrefix(line, "past_"), "{")
	_, rest, there := strings.Cut(rest, `,i="`)
	label, rest, whole := strings.Cut(rest, `"`)
	fields := strings.Fields(rest[strings.LastIndexByte(rest, '}')+1:])
	if !ok || !there || !whole || len(fields) != 2 {
		return 0, 0, 0, fmt.Errorf("no sample")
	}
	number, err := strconv.Atoi(family)
	i, wrong := strconv.Atoi(label)
	v, bad := strconv.ParseFloat(fields[0], 64)
	ms, odd := strconv.ParseInt(fields[1], 10, 64)
	if err := errors.Join(err, wrong, bad, odd); err != nil {
		return 0, 0, 0, err
	}
	scrape = int(time.UnixMilli(ms).Sub(p.from) / p.every)
	for ; scrape < p.scrapes && p.at(scrape).UnixMilli() < ms; scrape++ {
	}
	if i += number * pastPerFamily; scrape < 0 || scrape >= p.scrapes || i >= p.series || p.at(scrape).UnixMilli() != ms {
		return 0, 0, 0, fmt.Errorf("scrape %d, series %d", scrape, i)
	}
	return scrape, i, v, nil
}
