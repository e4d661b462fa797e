package changes

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// recording is the series of one of testdata/recordings, by the clock of its machine.
type recording struct {
	series []Series
	start  time.Time
}

// at returns the time of seconds since the first page.
func (r *recording) at(seconds float64) time.Time {
	return r.start.Add(time.Duration(seconds * float64(time.Second)))
}

// between finds what changed from one time to another, in seconds, with the first occurrence between them.
func (r *recording) between(from, first, to float64) Report {
	return Find(r.series, Question{From: r.at(from), First: r.at(first), To: r.at(to)})
}

func readRecording(t testing.TB, name string) *recording {
	t.Helper()
	f, err := os.Open(recordingsDir + name + ".tar.gz")
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	pages := map[string][]byte{}
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if strings.HasSuffix(h.Name, ".prom") {
			pages[h.Name], err = io.ReadAll(archive)
			require.NoError(t, err)
		}
	}
	names := make([]string, 0, len(pages))
	for n := range pages {
		names = append(names, n)
	}
	slices.Sort(names)
	r, byText, types := &recording{}, map[string]*Series{}, map[string]string{}
	var order []string
	for _, n := range names {
		at := pageTime(t, pages[n])
		if r.start.IsZero() {
			r.start = time.UnixMilli(at)
		}
		for line := range bytes.Lines(pages[n]) {
			text := strings.TrimSpace(string(line))
			if typed, ok := strings.CutPrefix(text, "# TYPE "); ok {
				name, kind, _ := strings.Cut(typed, " ")
				types[name] = kind
			}
			if text == "" || text[0] == '#' {
				continue
			}
			i := strings.LastIndexByte(text, ' ')
			v, err := strconv.ParseFloat(text[i+1:], 64)
			require.NoError(t, err)
			s := byText[text[:i]]
			if s == nil {
				name, labels, _ := strings.Cut(text[:i], "{")
				s = &Series{Node: "data-0", Name: name, Labels: strings.TrimSuffix(labels, "}"), Type: typeOf(name, types)}
				byText[text[:i]] = s
				order = append(order, text[:i])
			}
			s.Times, s.Values = append(s.Times, at), append(s.Values, v)
		}
	}
	for _, text := range order {
		r.series = append(r.series, *byText[text])
	}
	return r
}

func typeOf(name string, types map[string]string) string {
	for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
		if kind, ok := types[strings.TrimSuffix(name, suffix)]; ok {
			return kind
		}
	}
	return ""
}

func pageTime(t testing.TB, page []byte) int64 {
	lines := bufio.NewScanner(bytes.NewReader(page))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "node_time_seconds "); ok {
			v, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			return int64(v * 1000)
		}
	}
	t.Fatal("a page has no time")
	return 0
}

func show(r *recording, rep Report, n int) string {
	var w strings.Builder
	fmt.Fprintf(&w, "%d changes, %d series, %d judged\n", len(rep.Changes), rep.Series, rep.Judged)
	for i, c := range rep.Changes {
		if i == n {
			break
		}
		fmt.Fprintf(&w, "%6.1f %-8s %-4s %7.1f x%-6.1f %10.4g -> %-10.4g n=%d %s{%s}\n", c.At.Sub(r.start).Seconds(), c.Kind, c.Direction, c.Strength, c.Factor, c.From, c.To, c.Series, c.Name, c.Labels)
	}
	for _, g := range rep.Vanished {
		back := -1.0
		if !g.BackAt.IsZero() {
			back = g.BackAt.Sub(r.start).Seconds()
		}
		fmt.Fprintf(&w, "vanished %.1f back %.1f %d %v\n", g.At.Sub(r.start).Seconds(), back, g.Series, g.Families)
	}
	for _, g := range rep.Appeared {
		fmt.Fprintf(&w, "appeared %.1f %d %v\n", g.At.Sub(r.start).Seconds(), g.Series, g.Families)
	}
	for _, l := range rep.Limits {
		fmt.Fprintf(&w, "limit %.1f %s %.3g -> %.3g of %.3g %s{%s}\n", l.At.Sub(r.start).Seconds(), l.What, l.Usual, l.Highest, l.Limit, l.Name, l.Labels)
	}
	return w.String()
}

const recordingsDir = "../../testdata/recordings/"

// The thresholds were found on made-up windows, on the recording oom and on the first 72 s of thrash. The rest of thrash,
// and killed, frozen and healthy, only test them.

// bothTyped calls f with a recording, and with the same without types: blocks have none.
func bothTyped(t *testing.T, name string, f func(t *testing.T, r *recording)) {
	r := readRecording(t, name)
	t.Run("typed", func(t *testing.T) { f(t, r) })
	for i := range r.series {
		r.series[i].Type = ""
	}
	t.Run("untyped", func(t *testing.T) { f(t, r) })
}

func TestOutOfMemory(t *testing.T) { bothTyped(t, "oom", testOutOfMemory) }

func testOutOfMemory(t *testing.T, r *recording) {
	for _, first := range []float64{30, 32, 34, 36} { // A rule for memory, one for slow scrapes.
		rep := r.between(0, first, 60)
		say := show(r, rep, 100)
		require.Contains(t, top(rep, 4), "go_memstats_heap_inuse_bytes", say)
		contains(t, top(rep, 20), say, "fodc_node_process_resident_memory_bytes", "fodc_cgroup_memory_current_bytes", "fodc_node_scrape_duration_seconds")
		contains(t, top(rep, MaxChanges), say, "fodc_cgroup_memory_events_total", "node_vmstat_pgmajfault", "node_vmstat_workingset_refault_file")
		require.InDelta(t, 32, rep.Limits[0].At.Sub(r.start).Seconds(), 3, say)
		require.Equal(t, "memory of the control group", rep.Limits[0].What, say)
		require.Len(t, rep.Vanished, 1, say)
		require.Greater(t, rep.Vanished[0].Series, 250, say)
		require.True(t, rep.Vanished[0].BackAt.IsZero(), say)
	}
}

func TestThrash(t *testing.T) { bothTyped(t, "thrash", testThrash) }

func testThrash(t *testing.T, r *recording) {
	for _, first := range []float64{76, 80, 84} {
		rep := r.between(0, first, 110)
		say := show(r, rep, 100)
		contains(t, top(rep, 8), say, "fodc_node_scrape_duration_seconds", "go_memstats_heap_inuse_bytes")
		contains(t, top(rep, 14), say, "fodc_node_process_resident_memory_bytes", "fodc_cgroup_memory_current_bytes")
		contains(t, top(rep, 45), say, "fodc_cgroup_memory_events_total", "node_vmstat_workingset_refault_file", "node_vmstat_pgmajfault", "node_disk_read_bytes_total")
		for _, c := range rep.Changes[:12] {
			require.InDelta(t, 74, c.At.Sub(r.start).Seconds(), 9, say)
		}
		require.Equal(t, "memory of the control group", rep.Limits[0].What, say)
	}
}

func TestKilled(t *testing.T) { bothTyped(t, "killed", testKilled) }

func testKilled(t *testing.T, r *recording) {
	for _, from := range []float64{0, 20, 60} {
		rep := r.between(from, 120, 148)
		say := show(r, rep, 100)
		require.Len(t, rep.Vanished, 1, say)
		require.InDelta(t, 121, rep.Vanished[0].At.Sub(r.start).Seconds(), 3, say)
		contains(t, top(rep, 12), say, "node_sockstat_sockets_used", "node_memory_AnonPages_bytes", "fodc_node_scrape_failures_total")
		require.Less(t, len(rep.Changes), 25, say)
		early := 0
		for _, c := range rep.Changes {
			if c.At.Before(r.at(118)) {
				early++
			}
		}
		require.LessOrEqual(t, early, 2, "nothing led up to it: %s", say)
	}
	rep := r.between(60, 120, 180)
	require.InDelta(t, 151, rep.Vanished[0].BackAt.Sub(r.start).Seconds(), 3)
}

func TestFrozen(t *testing.T) { bothTyped(t, "frozen", testFrozen) }

func testFrozen(t *testing.T, r *recording) {
	for _, from := range []float64{0, 20, 40} {
		rep := r.between(from, 92, 170)
		say := show(r, rep, 100)
		contains(t, top(rep, 12), say, "fodc_node_process_cpu_seconds_total", "fodc_node_scrape_duration_seconds", "fodc_node_scrape_failures_total")
		require.Len(t, rep.Vanished, 1, say)
		require.InDelta(t, 91, rep.Vanished[0].At.Sub(r.start).Seconds(), 3, say)
		require.InDelta(t, 131, rep.Vanished[0].BackAt.Sub(r.start).Seconds(), 3, say)
		require.Less(t, len(rep.Changes), 30, say)
	}
}

// TestQuiet: where nothing happens, the list is short. Some of what is on it did happen: caches fill, parts are merged, a heap is halved.
func TestQuiet(t *testing.T) {
	f := func(name string, from, first, to float64) {
		t.Helper()
		bothTyped(t, name, func(t *testing.T, r *recording) {
			rep := r.between(from, first, to)
			stayed := 0
			for _, c := range rep.Changes {
				if c.Kind != Spike {
					stayed++
				}
			}
			require.LessOrEqual(t, stayed, 8, show(r, rep, 100))
			require.Empty(t, rep.Vanished)
		})
	}
	f("healthy", 110, 190, 230)
	f("healthy", 130, 200, 230)
	f("healthy", 120, 180, 210)
	f("killed", 0, 90, 118)
	f("killed", 20, 80, 118)
	f("frozen", 0, 70, 88)
	f("frozen", 20, 76, 88)
	f("thrash", 0, 56, 72)
	f("thrash", 10, 50, 72)
}

// top returns the first families.
func top(rep Report, n int) (names []string) {
	for _, c := range rep.Changes[:min(n, len(rep.Changes))] {
		names = append(names, c.Family)
	}
	return names
}

func contains(t *testing.T, names []string, say string, want ...string) {
	t.Helper()
	for _, w := range want {
		require.Contains(t, names, w, say)
	}
}
