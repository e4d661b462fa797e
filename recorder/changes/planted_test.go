package changes

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var seeds = flag.Int("seeds", 4, "how many windows are made up")

// The time of a made-up window: an hour of scrapes, of which the last ten minutes are behind the first occurrence.
const (
	plantedPoints = 360
	plantedFirst  = 300
	plantedStep   = 10_000
)

var plantedStart = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

func plantedTime(i int) time.Time {
	return plantedStart.Add(time.Duration(i) * plantedStep * time.Millisecond)
}

func plantedQuestion() Question {
	return Question{From: plantedTime(0), First: plantedTime(plantedFirst), To: plantedTime(plantedPoints)}
}

// noise is a kind of series in which nothing happens.
type noise struct {
	name, kind string
	// next returns the next value; for counters the next rate. level and sigma are the series' own.
	next  func(r *rand.Rand, i int, level, sigma float64, state *float64) float64
	total bool
	plain bool // has steps that can be planted
}

func gauss(r *rand.Rand, _ int, level, sigma float64, _ *float64) float64 {
	return level + sigma*r.NormFloat64()
}

var noises = []noise{
	{name: "gauge", next: gauss, plain: true},
	{name: "typed", kind: "gauge", next: gauss, plain: true},
	{name: "rate_total", kind: "counter", total: true, next: gauss, plain: true},
	{name: "untyped_counter", total: true, next: gauss, plain: true},
	{name: "drift", next: func(r *rand.Rand, i int, level, sigma float64, s *float64) float64 {
		return level + sigma*r.NormFloat64() + (sigma*4-level/3)*float64(i)/plantedPoints
	}, plain: true},
	{name: "burst", next: func(r *rand.Rand, i int, level, sigma float64, s *float64) float64 { // every 20 s, 3 s long
		if phase := math.Mod(float64(i)*10+10*r.Float64()+level, 20); phase < 3 {
			return level * (3 + 0.3*r.Float64())
		}
		return level + sigma*r.NormFloat64()
	}},
	{name: "burst_counter", total: true, next: func(r *rand.Rand, i int, level, sigma float64, s *float64) float64 {
		if phase := math.Mod(float64(i)*10+10*r.Float64()+level, 20); phase < 10 {
			return level * (2 + 0.3*r.Float64())
		}
		return 0
	}},
	{name: "wander", next: func(r *rand.Rand, i int, level, sigma float64, s *float64) float64 {
		*s = 0.9**s + sigma*r.NormFloat64()
		return level + *s
	}},
	{name: "latency_seconds", next: func(r *rand.Rand, i int, level, sigma float64, s *float64) float64 {
		return math.Exp(0.7 * r.NormFloat64())
	}},
	{name: "exponential", next: func(r *rand.Rand, i int, level, sigma float64, s *float64) float64 {
		return level * r.ExpFloat64()
	}},
	{name: "errors_total", kind: "counter", total: true, next: func(r *rand.Rand, i int, level, sigma float64, s *float64) float64 {
		if r.IntN(40) == 0 {
			return 0.1
		}
		return 0
	}},
	{name: "threads", kind: "gauge", next: func(r *rand.Rand, i int, level, sigma float64, s *float64) float64 {
		return math.Round(level/10 + 1.5*r.NormFloat64())
	}},
	{name: "constant", next: func(_ *rand.Rand, _ int, level, _ float64, _ *float64) float64 { return level }},
	{name: "heap_bytes", kind: "gauge", next: func(r *rand.Rand, i int, level, sigma float64, s *float64) float64 { // a saw tooth
		if *s += 20e6 * (1 + r.Float64()); *s > 400e6 {
			*s = 0
		}
		return 300e6 + *s
	}},
}

// planted is what is planted into a series: it changes the i-th value.
type planted struct {
	kind string
	at   int
	// leaves is when it leaves the noise, for a ramp.
	leaves int
	series string
	// value changes the values.
	value func(r *rand.Rand, i int, v, level, sigma float64) float64
}

func plant(kind string, at int, size float64, r *rand.Rand) *planted {
	p := &planted{kind: kind, at: at, leaves: at}
	switch kind {
	case "step":
		p.value = func(_ *rand.Rand, i int, v, level, sigma float64) float64 { return v + size*sigma }
	case "spike":
		p.value = func(_ *rand.Rand, i int, v, level, sigma float64) float64 {
			if i >= at+3 {
				return v
			}
			return v + size*sigma
		}
	case "ramp":
		slope := size / 10 // In standard deviations a scrape.
		p.leaves = at + int(math.Ceil(3/slope))
		p.value = func(_ *rand.Rand, i int, v, level, sigma float64) float64 { return v + slope*sigma*float64(i-at) }
	case "variance":
		p.value = func(_ *rand.Rand, i int, v, level, sigma float64) float64 { return level + (v-level)*size/1.5 }
	}
	return p
}

// window makes up series, of which some have something planted.
func window(seed uint64, n int, size float64, with int) (series []Series, all []*planted) {
	r := rand.New(rand.NewPCG(seed, 1))
	kinds := []string{"step", "ramp", "spike", "variance"}
	for i := range n {
		var p *planted
		k := noises[i%len(noises)]
		if i < with {
			for k = noises[r.IntN(len(noises))]; !k.plain; {
				k = noises[r.IntN(len(noises))]
			}
			p = plant(kinds[i%len(kinds)], plantedFirst-10+r.IntN(45), size, r)
			p.series = fmt.Sprintf("%s_%d", k.name, i)
			if k.total && k.kind == "counter" {
				p.series = fmt.Sprintf("x%d_%s", i, k.name)
			}
			all = append(all, p)
		}
		s := madeUp(r, k, i, p)
		if p != nil {
			p.series = s.Name
		}
		series = append(series, s)
	}
	r.Shuffle(len(series), func(i, j int) { series[i], series[j] = series[j], series[i] })
	return series, all
}

func madeUp(r *rand.Rand, k noise, i int, p *planted) Series {
	s := Series{Node: "data-0", Name: fmt.Sprintf("x%d_%s", i, k.name), Type: k.kind}
	level := math.Pow(10, 1+4*r.Float64())
	sigma := level * (0.02 + 0.08*r.Float64())
	sum, state := level*1000, 0.0
	gappy := r.IntN(10) == 0
	reset := -1
	if k.total && r.IntN(10) == 0 {
		reset = r.IntN(plantedPoints)
	}
	for t := range plantedPoints {
		v := k.next(r, t, level, sigma, &state)
		if p != nil && t >= p.at {
			v = p.value(r, t, v, level, sigma)
		}
		if k.total {
			if sum += max(v, 0) * 10; t == reset {
				sum = max(v, 0) * 3
			}
			v = sum
		}
		if gappy && r.IntN(20) == 0 {
			if r.IntN(2) == 0 {
				continue
			}
			v = math.NaN()
		}
		s.Times, s.Values = append(s.Times, plantedTime(t).UnixMilli()), append(s.Values, v)
	}
	return s
}

func TestNothingPlanted(t *testing.T) {
	for seed := range *seeds {
		series, _ := window(uint64(seed), 3000, 0, 0)
		rep := Find(series, plantedQuestion())
		for _, c := range rep.Changes {
			t.Errorf("seed %d: %s %s at %d, strength %.1f, %.3g -> %.3g", seed, c.Name, c.Kind, c.At.Sub(plantedStart)/time.Second/10, c.Strength, c.From, c.To)
		}
		require.Empty(t, rep.Vanished)
		require.Empty(t, rep.Appeared)
	}
}

// TestHeavyTails: where single samples are often far off, one more that is further is no change.
func TestHeavyTails(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var series []Series
	for i := range 8_000 {
		k := noises[slices.IndexFunc(noises, func(n noise) bool { return n.name == []string{"exponential", "latency_seconds"}[i%2] })]
		series = append(series, madeUp(r, k, i, nil))
	}
	rep := Find(series, plantedQuestion())
	require.LessOrEqual(t, len(rep.Changes), 1, show(&recording{start: plantedStart}, rep, 20))
}

// TestPlanted counts how many of ten planted changes are among the first twelve, by how large they are in standard deviations,
// and how many scrapes beside the truth their onset is.
func TestPlanted(t *testing.T) {
	f := func(size float64, least int) {
		t.Helper()
		found, late := map[int]int{}, map[string]map[int]int{}
		for seed := range *seeds {
			series, all := window(uint64(seed)+1000, 3000, size, 10)
			rep := Find(series, plantedQuestion())
			byName := map[string]Change{}
			for _, c := range rep.Changes[:min(12, len(rep.Changes))] {
				byName[c.Name] = c
			}
			n := 0
			for _, p := range all {
				c, ok := byName[p.series]
				if !ok {
					continue
				}
				n++
				off := int(c.At.Sub(plantedTime(p.leaves)) / plantedStep / time.Millisecond)
				if late[p.kind] == nil {
					late[p.kind] = map[int]int{}
				}
				late[p.kind][off]++
				if size >= 8 && p.kind != "variance" && p.kind != "ramp" || size >= 12 && p.kind == "ramp" {
					require.LessOrEqual(t, math.Abs(float64(off)), 2.0, "seed %d: a %s at %d", seed, p.kind, p.at)
				}
			}
			found[n]++
			require.GreaterOrEqual(t, n, least, "seed %d, size %g: %v", seed, size, all)
		}
		t.Logf("size %g: windows by planted changes that were found: %v; onsets by scrapes beside the truth: %v", size, found, late)
	}
	f(8, 9)
	f(12, 9)
	f(20, 9)
}
