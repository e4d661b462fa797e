package rules

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

// recordedLasts is how long what happened goes on: the recording is played again until then.
const recordedLasts = 4 * time.Minute

// replay plays an hour of the usual load, what happens then for so long, and the usual load again until recordedLasts. It returns what
// the rules about causes say.
func replay(t *testing.T, usual, then recording, lasts time.Duration) told {
	t.Helper()
	set, err := Load(true, nil)
	require.NoError(t, err)
	change := time.Date(2026, 3, 1, 0, 0, 7, 0, time.UTC)
	p := player{newWindow(), change.Add(-fullHour), map[string]float64{}, map[string]labels.Labels{}, float64(change.Add(-48 * time.Hour).Unix())}
	e := New(set.Named(append(slices.Clone(causes), "StorageFailed")...), p.window.storage(), Options{ScrapeInterval: then[0].after.Round(time.Second)})
	is := told{map[string]time.Duration{}, map[string]string{}}
	for i := 0; p.now.Before(change); i++ {
		p.step(t, usual[i%len(usual)])
	}
	change = p.now
	for i := 0; p.now.Sub(change) < recordedLasts; i++ {
		if p.now.Sub(change) < lasts {
			p.step(t, then[i%len(then)])
		} else {
			p.step(t, usual[i%len(usual)])
		}
		alerts, err := e.Evaluate(t.Context(), p.now.Add(time.Second))
		require.NoError(t, err)
		for _, a := range alerts {
			if a.State != Firing {
				continue
			}
			is.said[a.Rule] = a.Summary
			if _, known := is.fired[a.Rule]; !known {
				is.fired[a.Rule] = p.now.Sub(change)
			}
		}
	}
	return is
}

// recorded is what was recorded, with the one alert of each, and what it says.
var recorded = []struct{ piece, want, said string }{
	{"usual", "", ""},
	{"compaction", "", ""},
	{"memory_short", "MemoryShort", `Memory of data-0 is short: its threads spend [1-9]\.\d s a second on making room in memory of the control group, ` +
		`and wait [3-9]\.\d s a second in all \(0\.\d s usually\)\.`},
	{"disk_contended", "DiskContended", `Compaction and reads of data-0 contend for the disk: threads wait for it 1\d\.\d s a second \(0\.\d s usually\) ` +
		`since a (read|write) of loop7 takes \S+ms \(\S+ms usually\) while the node itself reads and writes \d\d\S*MB/s \(1\.\d*MB/s usually\)\.`},
	{"disk_used_by_others", "DiskUsedByOthers", `Others use the disk of data-0: threads wait for it [1-9]\.\d s a second \(0\.\d s usually\) ` +
		`since a (read|write) of loop7 takes \S+ms \(\S+ms usually\) while others read and write 1\d\d\S*MB/s \(\S+kB/s usually\), and the node itself \S+[kM]B/s\.`},
	{"disk_slow", "DiskSlow", `The disk of data-0 is slow: threads wait for it [1-9]\.\d s a second \(0\.\d s usually\) since a (read|write) of loop7 ` +
		`takes \S+ms \(\S+ms usually\) though no more is read and written than usual: \S+[kM]B/s, \S+[kM]B/s of it by the node itself\.`},
	{"working_set_too_large", "WorkingSetTooLarge", `The working set of data-0 no longer fits in memory: threads wait for the disk [2-9]\.\d s a second \(0\.\d s usually\) ` +
		`since \d\S*k pages a second are read again \(\S+ usually\); a read takes \S+ms \(\S+ms usually\)\.`},
	{"page_cache_dropped", "PageCacheDropped", `data-0 throws out of memory what it reads again: threads wait for the disk [1-9]\.\d s a second \(0\.\d s usually\) ` +
		`since it removes \d\S*k pages a second from the page cache \(\S+ usually\); a read takes \S+ms \(\S+ms usually\)\.`},
	{"cpu_quota_short", "CpuQuotaShort", `The CPU quota of data-0 is too small: its threads wait for a processor \d+\.\d s a second \(0\.\d s usually\), ` +
		`and are throttled in \d+ % of the periods\.`},
	{"cpu_short", "CpuShort", `Processors are too few for data-0: its threads wait for one \d+\.\d s a second \(0\.\d s usually\), ` +
		`while the node uses 0\.\d of the [12]\.\d processors that are busy\.`},
}

// TestRecordedCauses: one cause of each recording of a real load, with what it says, and no other, at scrape intervals of 5 and 15 seconds.
func TestRecordedCauses(t *testing.T) {
	usual := readRecording(t, "usual")
	for _, r := range recorded {
		intervals := []int{1, 3}
		if underRace {
			intervals = intervals[1:]
		}
		for _, times := range intervals {
			t.Run(fmt.Sprintf("%s/%d", r.piece, times), func(t *testing.T) {
				is := replay(t, usual.every(times), readRecording(t, r.piece).every(times), recordedLasts)
				t.Log(is)
				if r.want == "" {
					require.Empty(t, is.said)
					return
				}
				require.Equal(t, []string{r.want}, slices.Collect(maps.Keys(is.said)), is.said)
				require.LessOrEqual(t, is.fired[r.want], 3*time.Minute)
				require.Regexp(t, "^"+r.said+"$", is.said[r.want])
			})
		}
	}
}

// TestRecordedWithoutLongWaits: whatever was recorded, nothing is told of it while threads wait as usual, and nothing of what lasts for
// less than half a minute.
func TestRecordedWithoutLongWaits(t *testing.T) {
	usual := readRecording(t, "usual")
	for _, r := range recorded {
		t.Run(r.piece, func(t *testing.T) {
			then := readRecording(t, r.piece)
			require.Empty(t, replay(t, usual, then.with(usual, "fodc_node_process_wait_seconds"), recordedLasts).said, "waits as usual")
			require.Empty(t, replay(t, usual, then, 25*time.Second).said, "for 25 seconds")
		})
	}
}
