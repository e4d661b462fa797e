package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// causes are the alerts of which one at most may be there at a time.
var causes = []string{"MemoryShort", "DiskContended", "DiskUsedByOthers", "DiskSlow", "WorkingSetTooLarge", "PageCacheDropped", "CpuQuotaShort", "CpuShort", "DiskStuck"}

// fullHour is as long as the rules look back, and some more.
const fullHour = 66 * time.Minute

// story is what happens to a node.
type story struct {
	scrape time.Duration
	// before is what was usual for how long, and then what it is afterwards, for how long.
	before, then level
	usual, lasts time.Duration
	started      time.Duration // of the node's process, before the change; 0: long ago
	hidden       string        // what names of samples begin with that the agent cannot read; empty: it reads all
	missing      time.Duration // the agent was down for so long before the change, and recorded until then
	ends         time.Duration // after the change, when all is as before; 0: never
	spread       float64
	busier       float64
}

// told is what the rules said of a story.
type told struct {
	fired map[string]time.Duration // after the change
	said  map[string]string        // the last summaries
}

// tell plays a story.
func (s story) tell(t *testing.T) told {
	t.Helper()
	set, err := Load(true, nil)
	require.NoError(t, err)
	change := time.Date(2026, 3, 1, 0, 0, 7, 0, time.UTC)
	began := float64(change.Add(-48 * time.Hour).Unix())
	if s.started > 0 {
		began = float64(change.Add(-s.started).Unix())
	}
	m := newStorageModel(1, s.spread)
	w := newWindow()
	e := New(set.Named(append(slices.Clone(causes), "StorageFailed")...), w.storage(), Options{ScrapeInterval: s.scrape})
	is := told{map[string]time.Duration{}, map[string]string{}}
	if s.busier == 0 {
		s.busier = 1
	}
	for at := -s.usual; at <= s.lasts; at += s.scrape {
		if at > -s.missing && at <= 0 {
			continue
		}
		l := s.before
		if at > 0 && (s.ends == 0 || at <= s.ends) {
			l = s.then
		}
		l = l.times(s.busier)
		now := change.Add(at)
		w.scrape(now, "kernel", m.kernel(l, s.scrape.Seconds())...)
		files := slices.DeleteFunc(m.files(l, s.scrape.Seconds()), func(f recorder.Sample) bool { return s.hidden != "" && strings.HasPrefix(f.Name, s.hidden) })
		w.scrape(now, "host", append(files, gauge("fodc_node_process_start_time_seconds", began))...)
		w.scrape(now, "quota", m.quota(l, s.scrape.Seconds())...)
		if at < -2*time.Minute {
			continue
		}
		alerts, err := e.Evaluate(t.Context(), now.Add(time.Second))
		require.NoError(t, err)
		for _, a := range alerts {
			if a.State == Firing {
				require.Positive(t, at, "%s: %s", a.Rule, a.Summary)
				is.said[a.Rule] = a.Summary
				if _, known := is.fired[a.Rule]; !known {
					is.fired[a.Rule] = at
					require.GreaterOrEqual(t, a.ActiveAt, change, a.Rule)
				}
			}
		}
	}
	return is
}

// than returns the usual level with changes.
func than(change func(l *level)) level {
	l := usual
	change(&l)
	return l
}

var (
	compacts   = than(func(l *level) { l.own, l.added, l.removed = 120e6, 14000, 7000 })
	shortOf    = than(func(l *level) { l.disk, l.other, l.reclaim, l.refaults = 3, 2, 4, 900 })
	contended  = than(func(l *level) { l.disk, l.latency, l.own, l.added, l.removed = 6, 0.012, 160e6, 14000, 7000 })
	neighbour  = than(func(l *level) { l.disk, l.latency, l.others = 6, 0.012, 200e6 })
	slowDisk   = than(func(l *level) { l.disk, l.latency = 6, 0.03 })
	tooLarge   = than(func(l *level) { l.disk, l.own, l.refaults, l.added, l.removed = 6, 60e6, 6000, 9000, 4000 })
	dropped    = than(func(l *level) { l.disk, l.own, l.added, l.removed = 6, 60e6, 9000, 8500 })
	quota      = than(func(l *level) { l.processor, l.throttled = 8, 0.7 })
	processors = than(func(l *level) { l.processor = 8 })
	stuckDisk  = than(func(l *level) { l.disk, l.other, l.own, l.others, l.stuck = 0, 0, 0, 0, true })
)

// play tells a story at several scrape intervals, once as it is, and once busier and with noise; want is the one alert, said what it says
// without noise.
func play(t *testing.T, name string, s story, want, said string, intervals ...time.Duration) {
	t.Helper()
	if len(intervals) == 0 {
		intervals = []time.Duration{10 * time.Second}
	}
	loads := []float64{1, 2.5}
	if underRace {
		intervals, loads = intervals[len(intervals)-1:], loads[1:]
	}
	for _, scrape := range intervals {
		for _, busier := range loads {
			t.Run(fmt.Sprintf("%s/%s/%g", name, scrape, busier), func(t *testing.T) {
				s := s
				s.scrape, s.busier = scrape, busier
				if busier > 1 {
					s.spread = 0.3
				}
				is := s.tell(t)
				if want == "" {
					require.Empty(t, is.said)
					return
				}
				require.Equal(t, []string{want}, slices.Collect(maps.Keys(is.said)), is.said)
				require.GreaterOrEqual(t, is.fired[want], time.Minute)
				require.LessOrEqual(t, is.fired[want], 150*time.Second+2*scrape)
				if busier == 1 {
					require.Regexp(t, "^"+said+"$", is.said[want])
				}
			})
		}
	}
}

// TestCauses: one cause of each story, with what it says, and no other.
func TestCauses(t *testing.T) {
	f := func(name string, then level, want, said string) {
		t.Helper()
		play(t, name, story{before: usual, then: then, usual: fullHour, lasts: 4 * time.Minute}, want, said, 5*time.Second, 15*time.Second, 30*time.Second)
	}
	f("nothing", usual, "", "")
	f("compaction", compacts, "", "")
	f("memory of the group", shortOf, "MemoryShort", `Memory of data-0 is short: its threads spend 4\.0 s a second on making room in memory of the control group, `+
		`and wait 5\.2 s a second in all \(0\.[56] s usually\)\.`)
	f("memory of the host", than(func(l *level) { l.disk, l.reclaim, l.kind = 5, 2, "direct" }), "MemoryShort", `.* in memory of the host, .*`)
	f("contended", contended, "DiskContended", `Compaction and reads of data-0 contend for the disk: threads wait for it 6\.\d s a second \(0\.[34] s usually\) `+
		`since a (read|write) of vda takes (12|24)ms \([12]ms usually\) while the node itself reads and writes 160MB/s \(20MB/s usually\)\.`)
	f("neighbour", neighbour, "DiskUsedByOthers", `Others use the disk of data-0: threads wait for it 6\.\d s a second \(0\.[34] s usually\) `+
		`since a (read|write) of vda takes (12|24)ms \([12]ms usually\) while others read and write 200MB/s \(5MB/s usually\), and the node itself 20MB/s\.`)
	f("slow disk", slowDisk, "DiskSlow", `The disk of data-0 is slow: threads wait for it 6\.\d s a second \(0\.[34] s usually\) since a (read|write) of vda `+
		`takes [36]0ms \([12]ms usually\) though no more is read and written than usual: 25MB/s, 20MB/s of it by the node itself\.`)
	f("too large", tooLarge, "WorkingSetTooLarge", `The working set of data-0 no longer fits in memory: threads wait for the disk 6\.\d s a second \(0\.[34] s usually\) `+
		`since 6k pages a second are read again \(20 usually\); a read takes (1ms|1000us) \((1ms|1000us) usually\)\.`)
	f("dropped", dropped, "PageCacheDropped", `data-0 throws out of memory what it reads again: threads wait for the disk 6\.\d s a second \(0\.[34] s usually\) `+
		`since it removes 8\.5k pages a second from the page cache \(100 usually\); a read takes (1ms|1000us) \((1ms|1000us) usually\)\.`)
	f("quota", quota, "CpuQuotaShort", `The CPU quota of data-0 is too small: its threads wait for a processor 8\.0 s a second \(0\.2 s usually\), and are throttled in 70 % of the periods\.`)
	f("processors", processors, "CpuShort", `Processors are too few for data-0: its threads wait for one 8\.0 s a second \(0\.2 s usually\), `+
		`while the node uses 1\.5 of the 3\.5 processors that are busy\.`)
	f("stuck", stuckDisk, "DiskStuck", `The disk vda of data-0 has completed nothing for a minute, while 7 request\(s\) wait for it and 7 threads of the host\.`)
}

// TestFirstCause: where several causes hold, the first one is told.
func TestFirstCause(t *testing.T) {
	f := func(name string, change func(l *level), want string) {
		t.Helper()
		play(t, name, story{before: usual, then: than(change), usual: fullHour, lasts: 4 * time.Minute}, want, ".*")
	}
	f("all", func(l *level) {
		*l = level{disk: 6, other: 1, processor: 8, reclaim: 6, latency: 0.012, own: 160e6, others: 100e6, refaults: 6000, added: 9000, removed: 8500, throttled: 0.7}
	}, "MemoryShort")
	f("all but memory", func(l *level) {
		*l = level{disk: 6, other: 1, processor: 8, latency: 0.012, own: 160e6, others: 100e6, refaults: 6000, added: 9000, removed: 8500, throttled: 0.7}
	}, "DiskContended")
	f("nor own traffic", func(l *level) {
		*l = level{disk: 6, other: 1, processor: 8, latency: 0.012, own: 20e6, others: 100e6, refaults: 6000, added: 9000, removed: 8500, throttled: 0.7}
	}, "DiskUsedByOthers")
	f("nor others'", func(l *level) {
		*l = level{disk: 6, other: 1, processor: 8, latency: 0.012, own: 20e6, others: 5e6, refaults: 6000, added: 9000, removed: 8500, throttled: 0.7}
	}, "DiskSlow")
	f("nor latency", func(l *level) {
		*l = level{disk: 6, other: 1, processor: 8, latency: 0.001, own: 60e6, others: 5e6, refaults: 6000, added: 9000, removed: 8500, throttled: 0.7}
	}, "WorkingSetTooLarge")
	f("nor refaults", func(l *level) {
		*l = level{disk: 6, other: 1, processor: 8, latency: 0.001, own: 60e6, others: 5e6, refaults: 20, added: 9000, removed: 8500, throttled: 0.7}
	}, "PageCacheDropped")
	f("nor pages that are dropped", func(l *level) {
		*l = level{disk: 6, other: 1, processor: 8, latency: 0.001, own: 60e6, others: 5e6, refaults: 20, added: 9000, removed: 100, throttled: 0.7}
	}, "CpuQuotaShort")
	f("a neighbour that has more", func(l *level) { l.disk, l.latency, l.own, l.others = 6, 0.012, 40e6, 300e6 }, "DiskUsedByOthers")
	f("waits of an fsync for the journal", func(l *level) { l.other, l.latency = 5, 0.02 }, "DiskSlow")
}

// TestNoLongWaits: whatever else happens, nothing is told while threads wait no longer than usual.
func TestNoLongWaits(t *testing.T) {
	for name, then := range map[string]level{"memory": shortOf, "contended": contended, "neighbour": neighbour, "slow disk": slowDisk, "too large": tooLarge, "dropped": dropped, "quota": quota} {
		then.disk, then.other, then.processor = usual.disk, usual.other, usual.processor
		play(t, name, story{before: usual, then: then, usual: fullHour, lasts: 4 * time.Minute}, "", "")
	}
}

// TestShortWaits: waits that are long for less than half a minute are no incident, however long they are.
func TestShortWaits(t *testing.T) {
	for name, then := range map[string]level{"memory": shortOf, "contended": contended, "slow disk": slowDisk, "too large": tooLarge, "processors": processors} {
		play(t, name, story{before: usual, then: then.times(4), ends: 25 * time.Second, usual: fullHour, lasts: 4 * time.Minute}, "", "", 5*time.Second, 10*time.Second)
	}
}

// TestAsAlways: what has been so for an hour is no incident.
func TestAsAlways(t *testing.T) {
	for name, as := range map[string]level{"memory": shortOf, "contended": contended, "too large": tooLarge, "quota": quota} {
		play(t, name, story{before: as, then: as, usual: fullHour, lasts: 4 * time.Minute}, "", "")
	}
}

// TestFirstMinutes: what an agent finds that has little to compare with, and what of a node that was just started.
func TestFirstMinutes(t *testing.T) {
	const young = 5 * time.Minute
	f := func(name string, s story, want string) {
		t.Helper()
		s.before, s.lasts = usual, 4*time.Minute
		play(t, name, s, want, ".*")
	}
	f("an agent that was just started", story{then: contended.times(0.4), usual: young}, "")
	f("waits without doubt: memory", story{then: than(func(l *level) { l.disk, l.other, l.reclaim = 12, 2, 9 }), usual: young}, "MemoryShort")
	f("waits without doubt: quota", story{then: than(func(l *level) { l.processor, l.throttled = 12, 0.7 }), usual: young}, "CpuQuotaShort")
	f("a quarter of an hour is enough", story{then: contended, usual: 25 * time.Minute}, "DiskContended")
	f("the agent was down for a while", story{then: contended, usual: fullHour, missing: 8 * time.Minute}, "DiskContended")
	f("the agent was down, and nothing is wrong", story{then: compacts, usual: fullHour, missing: 40 * time.Minute}, "")
	cold := than(func(l *level) { l.disk, l.own, l.latency, l.refaults = 6, 200e6, 0.008, 3000 })
	f("a node that was just started reads all for the first time", story{then: cold, usual: fullHour, started: time.Minute}, "")
	f("one that was started a while ago does so", story{then: cold, usual: fullHour, started: 20 * time.Minute}, "DiskContended")
	f("memory counts from the start on", story{then: shortOf, usual: fullHour, started: time.Minute}, "MemoryShort")
}
