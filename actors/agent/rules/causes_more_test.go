package rules

import (
	"flag"
	"math"
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var stories = flag.Int("stories", 24, "how many random stories are told")

// TestOneCause: whatever comes together, one cause at most is told of a node whose threads wait for long.
func TestOneCause(t *testing.T) {
	told, n := map[string]int{}, int64(*stories)
	if underRace {
		n /= 6
	}
	for seed := range n {
		s := randomStory(rand.New(rand.NewSource(seed)))
		is := s.tell(t)
		require.LessOrEqual(t, len(is.said), 1, "seed %d: %+v: %v", seed, s.then, is.said)
		for cause := range is.said {
			told[cause]++
		}
	}
	require.GreaterOrEqual(t, len(told), min(int(n)/6, 4), "the stories are too much alike: %v", told)
}

func randomStory(rng *rand.Rand) story {
	l := usual
	l.disk *= 8 * (1 + 6*rng.Float64())
	l.reclaim = max(0, 10*rng.Float64()-7)
	for _, v := range []struct {
		level *float64
		most  float64
	}{{&l.other, 100}, {&l.processor, 60}, {&l.latency, 60}, {&l.own, 12}, {&l.others, 60}, {&l.refaults, 1000}, {&l.removed, 100}, {&l.throttled, 45}} {
		if rng.Float64() < 0.5 {
			*v.level *= math.Pow(v.most, rng.Float64())
		}
	}
	intervals := []time.Duration{5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second}
	return story{scrape: intervals[rng.Intn(len(intervals))], busier: 1 + 2*rng.Float64(), spread: 0.5 * rng.Float64(),
		before: usual, then: l, usual: fullHour, lasts: 4 * time.Minute}
}

// TestUnknownTraffic: where the agent does not know whose traffic it is, or what is usual, a slow disk is told, and no more is said than is known.
func TestUnknownTraffic(t *testing.T) {
	f := func(name string, s story, said string) {
		t.Helper()
		s.before, s.lasts = usual, 150*time.Second
		play(t, name, s, "DiskSlow", said)
	}
	const own, waits = "fodc_node_process_read_bytes_total", `The disk of data-0 is slow: threads wait for it `
	f("compaction, and the node's own traffic is not known", story{then: contended, usual: fullHour, hidden: own},
		waits+`6\.\d s a second \(0\.[34] s usually\) since a (read|write) of vda takes (12|24)ms \([12]ms usually\) `+
			`while 165MB/s are read and written \(25MB/s usually\), an unknown number of B/s of it by the node itself\.`)
	f("no more than usual, and the node's own traffic is not known", story{then: slowDisk, usual: fullHour, hidden: own},
		waits+`6\.\d s a second \(0\.[34] s usually\) since a (read|write) of vda takes [36]0ms \([12]ms usually\) `+
			`though no more is read and written than usual: 25MB/s, an unknown number of B/s of it by the node itself\.`)
	fast := than(func(l *level) { l.disk, l.latency, l.own = 20, 0.09, 160e6 })
	f("the agent was just started", story{then: fast, usual: 20 * time.Second},
		waits+`20\.\d s a second \(.* usually\) since .* while 165MB/s are read and written \(an unknown number of B/s usually\), 160MB/s of it by the node itself\.`)
}
