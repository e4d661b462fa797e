//go:build e2e && linux

package modes_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	querySeed  = flag.Uint64("query-seed", 0, "seed of the random queries; 0: another one each time")
	queryCount = flag.Int("query-count", 500, "number of random queries")
)

// randomQueries makes queries about a recording.
type randomQueries struct {
	*rand.Rand
	// from and to bound their times, in unix milliseconds. scrapes are times of samples.
	from, to int64
	scrapes  []int64
}

func (r *randomQueries) of(texts ...string) string { return texts[r.IntN(len(texts))] }

// time returns any time, or one at which there is a sample.
func (r *randomQueries) time() time.Time {
	if r.IntN(2) == 0 {
		return time.UnixMilli(r.scrapes[r.IntN(len(r.scrapes))])
	}
	return time.UnixMilli(r.from + r.Int64N(r.to-r.from))
}

func (r *randomQueries) evaluation() evaluation {
	at := r.time()
	if r.IntN(2) == 0 {
		return evaluation{"query", url.Values{"time": {unixSeconds(at)}}}
	}
	end := time.UnixMilli(min(r.to, at.UnixMilli()+r.Int64N(30_000)))
	return evaluation{"query_range", url.Values{"start": {unixSeconds(at)}, "end": {unixSeconds(end)}, "step": {r.of("1", "0.3", "2.5", "7")}}}
}

func (r *randomQueries) duration() string {
	return r.of("1s", "2s", "3s", "5s", "10s", "30s", "700ms", "1500ms", "4321ms")
}

func (r *randomQueries) modifier() (text string) {
	if r.IntN(5) == 0 {
		text += " offset " + r.of(r.duration(), "-1s", "-1500ms")
	}
	if r.IntN(6) == 0 {
		text += " @ " + r.of(unixSeconds(r.time()), "start()", "end()")
	}
	return text
}

func (r *randomQueries) selector() string {
	name := r.of("go_goroutines", "go_threads", "process_open_fds", "banyandb_measure_total_written", "banyandb_system_cpu_state",
		"banyandb_measure_query_query_latency_bucket", "banyandb_measure_query_query_latency_sum", "banyandb_measure_total_file_parts",
		"go_gc_duration_seconds", "go_gc_duration_seconds_count", "fodc_node_up", "fodc_node_scrapes_total", "process_cpu_seconds_total",
		"banyandb_liaison_grpc_total_stream_msg_received")
	var matchers []string
	if r.IntN(3) == 0 {
		pattern := r.of("go_g.*", "go_(goroutines|threads)", name+"|nothing", "banyandb_measure_cache.*", "fodc_node_.+")
		name, matchers = "", append(matchers, fmt.Sprintf("__name__=~%q", pattern))
	}
	for range r.IntN(3) {
		label := r.of("node_id", "node_role", "pod_name", "node_zone", "kind", "group", "le", "none", "endpoint")
		value := r.of("", "data-0", "data-.*", "data-1|liaison-0", "liaison", "datanode-.*", "pod-data-1", "a", "b|", "user", "user|system",
			".+", ".*", "load", "sw_.*", "1|5", "http.*")
		matchers = append(matchers, label+r.of("=", "!=", "=~", "!~")+fmt.Sprintf("%q", value))
	}
	return name + "{" + strings.Join(matchers, ",") + "}"
}

// vector returns an expression of at most depth levels above its selectors.
func (r *randomQueries) vector(depth int) string {
	if depth == 0 {
		return r.selector() + r.modifier()
	}
	switch r.IntN(7) {
	case 0:
		return r.of("abs", "ceil", "sqrt", "timestamp", "sgn", "absent", "sort", "ln") + "(" + r.vector(depth-1) + ")"
	case 1, 2:
		return r.overTime() + "(" + r.selector() + "[" + r.duration() + "]" + r.modifier() + ")"
	case 3:
		return r.overTime() + "((" + r.vector(depth-1) + ")[" + r.duration() + ":" + r.of("1s", "700ms", "2s") + "]" + r.modifier() + ")"
	case 4:
		by := r.of("", " by (node_id)", " without (node_id)", " by (kind, le)", " by (node_role)")
		// Not stddev: of large values it is mostly rounding, which depends on the order in which a storage returns them.
		return r.of("sum", "avg", "min", "max", "count", "group") + by + "(" + r.vector(depth-1) + ")"
	case 5:
		op := r.of("+", "-", "*", "/", "> bool", "<", "and", "or", "unless", "== bool") + r.of("", " on (node_id)", " ignoring (kind)")
		return "(" + r.vector(depth-1) + ") " + op + " (" + r.vector(depth-1) + ")"
	default:
		return r.vector(depth - 1)
	}
}

func (r *randomQueries) overTime() string {
	return r.of("rate", "increase", "delta", "irate", "idelta", "count_over_time", "sum_over_time", "avg_over_time", "last_over_time",
		"changes", "resets", "absent_over_time", "present_over_time", "min_over_time", "stddev_over_time", "deriv")
}

// compareRandom compares random queries at any times. The two servers must have the same engine.
func (c *queryCluster) compareRandom(t *testing.T, want, got queryAPI) {
	seed := *querySeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-query-seed %d", seed)
	made := &randomQueries{from: c.start.Add(-10 * time.Second).UnixMilli(), to: c.end.UnixMilli()}
	for _, node := range slices.Sorted(maps.Keys(c.scrapes)) {
		made.scrapes = append(made.scrapes, c.scrapes[node][:recordedScrapes-afterEnd]...)
	}
	const duplicates = "found duplicate series"
	answered := 0
	for i := range *queryCount {
		made.Rand = rand.New(rand.NewPCG(seed, uint64(i)))
		text, e := made.vector(1+made.IntN(3)), made.evaluation()
		w, err := e.of(want, text)
		require.NoError(t, err)
		g, err := e.of(got, text)
		require.NoError(t, err)
		if w.samples() > 0 {
			answered++
		}
		// Which series it names depends on the order in which a storage returns them.
		if strings.HasPrefix(w.Error, duplicates) && strings.HasPrefix(g.Error, duplicates) {
			continue
		}
		if d := differenceOfAnswers(w, g, false); d != "" {
			t.Errorf("%d: %s: %s: %s", i, text, e, d)
		}
	}
	t.Logf("%d of %d have data", answered, *queryCount)
	require.Greater(t, answered, *queryCount/10)
}
