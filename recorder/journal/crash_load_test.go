package journal_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"fodc/messages"
	"fodc/recorder"
)

// crashLoad makes scrapes of a few targets whose series come and go.
type crashLoad struct {
	rng   *rand.Rand
	lists []*recorder.SeriesList
	// most is how many series a target has at most.
	most int
}

func newCrashLoad(rng *rand.Rand) *crashLoad {
	return &crashLoad{rng: rng, lists: make([]*recorder.SeriesList, 1+rng.IntN(3)), most: []int{1, 4, 30}[rng.IntN(3)]}
}

func (l *crashLoad) next(number int64, now time.Time) *recorder.Batch {
	which := l.rng.IntN(len(l.lists))
	if l.lists[which] == nil || l.rng.IntN(6) == 0 {
		l.lists[which] = l.list()
	}
	b := &recorder.Batch{
		Number: number, Target: "target-" + strconv.Itoa(which), Series: l.lists[which],
		At: now.UnixMilli() - int64(l.rng.IntN(5)), Values: make([]float64, len(l.lists[which].Keys)),
	}
	if l.rng.IntN(8) == 0 {
		b.Failure = "refused " + strconv.Itoa(l.rng.IntN(2))
	}
	for i := range b.Values {
		b.Values[i] = l.value(number, i)
	}
	return b
}

func (l *crashLoad) list() *recorder.SeriesList {
	list := &recorder.SeriesList{Families: []recorder.Family{
		{Name: "up", Type: messages.TypeGauge, Help: "help " + strconv.Itoa(l.rng.IntN(2)), FromAgent: true},
		{Name: "requests_total", Type: messages.TypeCounter},
	}}
	n := l.rng.IntN(l.most + 1)
	for i := range n {
		family := l.rng.IntN(2)
		list.Keys = append(list.Keys, recorder.SeriesKey{Name: list.Families[family].Name, Labels: messages.LabelText(`i="` + strconv.Itoa(i) + `"`)})
		list.FamilyOf = append(list.FamilyOf, int32(family))
	}
	return list
}

func (l *crashLoad) value(number int64, i int) float64 {
	switch l.rng.IntN(8) {
	case 0:
		return math.Float64frombits(l.rng.Uint64())
	case 1:
		return []float64{math.NaN(), math.Inf(1), 0, 1}[l.rng.IntN(4)]
	case 2:
		return l.rng.NormFloat64()
	}
	return float64(number*10 + int64(i))
}
