package exposition

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

const (
	unknown   = messages.TypeUnknown
	gauge     = messages.TypeGauge
	counter   = messages.TypeCounter
	histogram = messages.TypeHistogram
	summary   = messages.TypeSummary
	untyped   = messages.TypeUntyped
)

func TestTypeOfMost(t *testing.T) {
	// kinds are those of the nodes a, b, c, ..., each with one sample; left are the
	// nodes whose sample is on the page.
	f := func(kinds []messages.MetricType, want, left string, lost int) {
		t.Helper()
		c := collection()
		for i, kind := range kinds {
			c.Nodes = append(c.Nodes, answer(string(rune('a'+i)), block(1, family("x", kind, "", one("", 1)))))
		}
		page, conflicts := text(t, c, Options{})
		require.Contains(t, page, "# TYPE x "+want+"\n")
		got := ""
		for _, n := range c.Nodes {
			if strings.Contains(page, `x{node_id="`+n.Identity.NodeID+`"`) {
				got += n.Identity.NodeID
			}
		}
		require.Equal(t, left, got)
		require.Equal(t, Conflicts{Type: lost}, conflicts)
	}
	type kinds []messages.MetricType
	f(kinds{gauge, gauge}, "gauge", "ab", 0)
	f(kinds{gauge, counter, counter}, "counter", "bc", 1)
	f(kinds{counter, gauge}, "counter", "a", 1)
	f(kinds{gauge, counter}, "gauge", "a", 1)
	f(kinds{untyped, summary, summary, untyped}, "untyped", "ad", 2)
	// No TYPE line is no vote, and no reason to be left out.
	f(kinds{unknown}, "untyped", "a", 0)
	f(kinds{unknown, unknown, counter}, "counter", "abc", 0)
	f(kinds{unknown, untyped, untyped, gauge}, "untyped", "abc", 1)
	// But such a page cannot have meant a histogram.
	f(kinds{unknown, unknown, histogram}, "histogram", "c", 2)
	f(kinds{messages.MetricType(99), gauge}, "gauge", "ab", 0)
}

func TestTypeIsCountedByNode(t *testing.T) {
	// Two blocks of a node are one vote and one conflict.
	c := collection(
		answer("a", block(1, family("x", gauge, "", one(`a="1"`, 1))), block(1, family("x", gauge, "", one(`a="2"`, 1)))),
		answer("b", block(1, family("x", counter, "", one("", 1)))),
		answer("c", block(1, family("x", counter, "", one("", 1)))),
	)
	page, conflicts := text(t, c, Options{})
	require.Contains(t, page, "# TYPE x counter\nx{node_id=\"b\"")
	require.Equal(t, Conflicts{Type: 1}, conflicts)
}

func TestHelpOfFirst(t *testing.T) {
	f := func(want string, lost int, helps ...string) {
		t.Helper()
		c := collection()
		for i, help := range helps {
			// Nodes come in any order: by id the last is the first.
			c.Nodes = append(c.Nodes, answer(string(rune('z'-i)), block(1, family("x", gauge, help, one("", 1)))))
		}
		page, conflicts := text(t, c, Options{})
		require.Equal(t, want, samplesOf(page, "# HELP x"))
		require.Equal(t, Conflicts{Help: lost}, conflicts)
	}
	f("", 0, "", "")
	f("# HELP x one\n", 0, "one", "one")
	f("# HELP x two\n", 1, "one", "two")
	f("# HELP x one\n", 0, "one", "")
	f("# HELP x one\n", 0, "", "one")
	f("# HELP x three\n", 2, "one", "two", "three")
	f(`# HELP x a\\b\nc "d"`+"\n", 0, "a\\b\nc \"d\"")
	f("# HELP x a\uFFFDb\n", 0, "a\xffb")
	f("# HELP x \\n# TYPE y counter\n", 0, "\n# TYPE y counter")
}

func TestHelpOfLoserIsNotTaken(t *testing.T) {
	page, conflicts := text(t, collection(
		answer("a", block(1, family("x", gauge, "wrong", one("", 1)))),
		answer("b", block(1, family("x", counter, "right", one("", 1)))),
		answer("c", block(1, family("x", counter, "right", one("", 1)))),
	), Options{})
	require.Contains(t, page, "# HELP x right\n# TYPE x counter\n")
	require.Equal(t, Conflicts{Type: 1}, conflicts)
}

func TestNamesOfSamplesClash(t *testing.T) {
	histogramX := family("x", histogram, "", suffixed(messages.SuffixBucket, `le="+Inf"`, 1), suffixed(messages.SuffixCount, "", 1))
	f := func(want string, lost int, nodes ...[]messages.Family) {
		t.Helper()
		c := collection()
		for i, families := range nodes {
			c.Nodes = append(c.Nodes, answer(string(rune('a'+i)), block(1, families...)))
		}
		page, conflicts := text(t, c, Options{})
		require.Equal(t, want, samplesOf(page, "# TYPE x"))
		require.Equal(t, Conflicts{Type: lost}, conflicts)
	}
	type families = []messages.Family
	count := family("x_count", gauge, "Things.", one("", 1))
	bucket := family("x_bucket", gauge, "", one("", 1))
	f("# TYPE x histogram\n", 1, families{histogramX, count})
	f("# TYPE x histogram\n", 1, families{histogramX}, families{count})
	f("# TYPE x_count gauge\n", 1, families{histogramX}, families{count}, families{count})
	f("# TYPE x histogram\n", 2, families{histogramX, count, bucket})
	summaryX := family("x", summary, "", suffixed(messages.SuffixCount, "", 1))
	f("# TYPE x summary\n# TYPE x_bucket gauge\n", 1, families{summaryX, count, bucket})
	f("# TYPE x gauge\n# TYPE x_count gauge\n", 0, families{family("x", gauge, "", one("", 1)), count})
}

func TestReservedNames(t *testing.T) {
	f := func(name string, reserved bool) {
		t.Helper()
		c := collection(answer("a", block(1, family(name, gauge, "Theirs.", one("", 42)))))
		want := Conflicts{}
		if reserved {
			want.Reserved = 1
		}
		page, conflicts := text(t, c, Options{})
		require.Equal(t, !reserved, strings.Contains(page, " 42\n"))
		require.Equal(t, want, conflicts)

		var b strings.Builder
		conflicts, err := WriteJSON(&b, c)
		require.NoError(t, err)
		require.Equal(t, !reserved, strings.Contains(b.String(), `"value":42`))
		require.Equal(t, want, conflicts)

		// On its own page an agent may call its metrics as it likes.
		b.Reset()
		require.NoError(t, WriteNodeText(&b, c.Nodes[0].Blocks, Options{}))
		require.Contains(t, b.String(), name+" 42\n")
	}
	f("fodc_agent_up", true)
	f("fodc_agent_missing_reason", true)
	f("fodc_agent_partial_reason", true)
	f("fodc_agent_scrape_duration_seconds", true)
	f("fodc_agent_round_trip_seconds", true)
	f("fodc_agent_clock_offset_seconds", true)
	f("fodc_agent_series_left_out", true)
	f("fodc_build_info", true)
	f("fodc_proxy_agents", true)
	f("fodc_proxy_", true)
	f("fodc_proxy", true)
	f("fodc_proxying", false)
	f("fodc_actors", true)
	f("fodc_actor_restarts_total", true)
	f("fodc_actor_failures_total", true)
	f("fodc_actor_mailbox_messages", true)
	f("fodc_actor", true)
	f("fodc_dead_letters_total", true)
	f("fodc_late_replies_total", true)
	f("fodc_log_lines_dropped_total", true)
	f("fodc_agent_log_lines_dropped_total", false)
	f("fodc_actorsx", false)
	f("fodc_agent_actors", false)
	f("fodc_agent_actor_restarts_total", false)
	f("fodc_agent_dead_letters_total", false)
	f("fodc_agent_up_total", false)
	f("fodc_agent_window_series", false)
	f("fodc_node_up", false)
}

func TestInvalidIsLeftOut(t *testing.T) {
	f := func(bad messages.Family, invalid int) {
		t.Helper()
		c := collection(answer("a", block(1, bad, family("good", gauge, "", one("", 1)))))
		page, conflicts := text(t, c, Options{})
		require.NotContains(t, page, "42")
		require.Contains(t, page, `good{node_id="a",node_role="data"} 1`)
		require.Equal(t, Conflicts{Invalid: invalid}, conflicts)
	}
	f(family("", gauge, "", one("", 42), one(`a="1"`, 42)), 2)
	f(family("a\x00", gauge, "", one("", 42)), 1)
	f(family("x", gauge, "", suffixed(messages.SuffixCount, "", 42)), 1)
	f(family("x", summary, "", suffixed(messages.SuffixBucket, "", 42)), 1)
	f(family("x", histogram, "", suffixed(messages.Suffix(9), "", 42)), 1)
	f(family("x", gauge, "", one("", 42, 42)), 1)
	f(family("x", gauge, "", one("")), 1)
	f(family("x", gauge, "", one(`node_id`, 42)), 1)
	f(family("x", gauge, "", one(`node_id="b",a="42"`, 42)), 1)
}

func TestTimesBefore1970AreLeftOut(t *testing.T) {
	early := messages.Block{Times: []int64{-1, 0}, Families: []messages.Family{family("x", gauge, "", parted("", ""))}}
	early.Families[0].Series[0].Values = []float64{42, 42}
	f := func(early messages.Block) {
		t.Helper()
		page, conflicts := text(t, collection(answer("a", early), answer("b", block(0, family("x", gauge, "", one("", 1))))),
			Options{Timestamps: true})
		require.Equal(t, Conflicts{Invalid: 1}, conflicts)
		require.Equal(t, `x{node_id="b",node_role="data"} 1 0`+"\n", samplesOf(page, "x{"))
	}
	f(early)
	shareBlock(&early)
	f(early)
}

// Two targets of a node that have the same family are looked at together, though each could
// be shown as it is.
func TestSettledFamilyOfTwoTargets(t *testing.T) {
	of := func(value float64) messages.Block {
		b := block(1, family("x", gauge, "", parted(`a="1"`, ""), parted(`a="2"`, "")))
		for i := range b.Families[0].Series {
			b.Families[0].Series[i].Values = []float64{value}
		}
		shareBlock(&b)
		return b
	}
	page, conflicts := text(t, collection(answer("a", of(1), of(2))), Options{})
	require.Equal(t, Conflicts{Duplicate: 2}, conflicts)
	require.Equal(t, `x{a="1",node_id="a",node_role="data"} 1`+"\n"+`x{a="2",node_id="a",node_role="data"} 1`+"\n", samplesOf(page, "x{"))
}

// What is kept for the next page holds nothing of this one.
func TestPagesLeaveNothingBehind(t *testing.T) {
	m := mergeNodes(nodesOf(collection(answer("a", block(0, family("x", gauge, "", one("", 1)))))), IsReserved)
	p := m.parts
	require.NotZero(t, p.sorted[0])
	m.release()
	for _, left := range p.sorted[:cap(p.sorted)] {
		require.Zero(t, left)
	}
	for _, left := range p.groups[:cap(p.groups)] {
		require.Nil(t, left)
	}
}

func TestMissingNodes(t *testing.T) {
	// A node that is missing has no samples, whatever the answer holds.
	gone := answer("gone", block(1, family("x", gauge, "", one("", 42))))
	gone.Missing = messages.MissingError
	page, conflicts := text(t, collection(gone), Options{})
	require.Equal(t, Conflicts{}, conflicts)
	require.NotContains(t, page, "42")
	require.Contains(t, page, `fodc_agent_up{node_id="gone",node_role="data"} 0`)
	require.Contains(t, page, `fodc_agent_missing_reason{reason="error",node_id="gone",node_role="data"} 1`)
	require.NotContains(t, page, "fodc_agent_scrape_duration_seconds")
}

// A node whose answer is partial is shown like others, with the reason.
func TestPartialNodes(t *testing.T) {
	some, whole, gone := answer("some", block(1, family("x", gauge, "", one("", 42)))), answer("whole"), answer("gone")
	some.Partial, gone.Partial, gone.Missing = messages.PartialRecovering, messages.PartialJournal, messages.MissingError
	some.Blocks = append(some.Blocks, block(1, family(familyPartial, gauge, "A lie.", one("", 9))))
	page, conflicts := text(t, collection(some, whole, gone), Options{Timestamps: true})
	require.Equal(t, Conflicts{Reserved: 1}, conflicts)
	require.Contains(t, page, `x{node_id="some",node_role="data"} 42`)
	require.Contains(t, page, `fodc_agent_up{node_id="some",node_role="data"} 1`)
	require.Equal(t, `fodc_agent_partial_reason{reason="recovering",node_id="some",node_role="data"} 1
`, samplesOf(page, familyPartial))
	requirePromtool(t, []byte(page))
}

func TestTimingOfNodes(t *testing.T) {
	near, far, old := answer("near"), answer("far"), answer("old")
	near.Timing = &messages.Timing{RoundTrip: 1500 * time.Microsecond, ClockOffset: -2 * time.Second}
	far.Timing = &messages.Timing{RoundTrip: 2 * time.Second}
	far.Missing = messages.MissingTimeout
	page, conflicts := text(t, collection(far, near, old), Options{Timestamps: true})
	require.Equal(t, Conflicts{}, conflicts)
	require.Equal(t, `fodc_agent_round_trip_seconds{node_id="far",node_role="data"} 2
fodc_agent_round_trip_seconds{node_id="near",node_role="data"} 0.0015
`, samplesOf(page, "fodc_agent_round_trip_seconds"))
	require.Equal(t, `fodc_agent_clock_offset_seconds{node_id="far",node_role="data"} 0
fodc_agent_clock_offset_seconds{node_id="near",node_role="data"} -2
`, samplesOf(page, "fodc_agent_clock_offset_seconds"))
	requirePromtool(t, []byte(page))
}

// A node that is missing was heard of, and has a version.
func TestHeartbeatsAndVersionsOfNodes(t *testing.T) {
	ours := answer("ours", block(1, family(familyInfo, gauge, "A lie.", one(`version="9"`, 1)), family(familyHeartbeat, gauge, "", one("", 5))))
	lost, baseline := answer("lost"), answer("baseline")
	ours.LastHeartbeat, ours.AgentVersion = time.UnixMilli(1_767_225_600_123), `1.2"3`
	lost.LastHeartbeat, lost.AgentVersion, lost.Missing = time.Unix(1_767_225_500, 0), "1.0", messages.MissingUnconnected
	page, conflicts := text(t, collection(ours, lost, baseline), Options{Timestamps: true})
	require.Equal(t, Conflicts{Reserved: 2}, conflicts)
	require.Equal(t, `fodc_agent_info{node_id="baseline",node_role="data"} 1
fodc_agent_info{version="1.0",node_id="lost",node_role="data"} 1
fodc_agent_info{version="1.2\"3",node_id="ours",node_role="data"} 1
`, samplesOf(page, familyInfo))
	require.Equal(t, `fodc_agent_last_heartbeat_timestamp_seconds{node_id="lost",node_role="data"} 1.7672255e+09
fodc_agent_last_heartbeat_timestamp_seconds{node_id="ours",node_role="data"} 1.767225600123e+09
`, samplesOf(page, familyHeartbeat))
	requirePromtool(t, []byte(page))
}

func TestSeriesThatAreLeftOut(t *testing.T) {
	odd, fine, gone := answer("odd"), answer("fine"), answer("gone")
	odd.Problems = messages.Problems{Rejected: 2, TooMany: 900_000, Sanitized: 3}
	fine.Problems = messages.Problems{Sanitized: 1}
	gone.Problems, gone.Missing = odd.Problems, messages.MissingError
	page, conflicts := text(t, collection(odd, fine, gone), Options{Timestamps: true})
	require.Equal(t, Conflicts{}, conflicts)
	require.Equal(t, `fodc_agent_series_left_out{reason="invalid",node_id="odd",node_role="data"} 2
fodc_agent_series_left_out{reason="too_many_series",node_id="odd",node_role="data"} 900000
`, samplesOf(page, "fodc_agent_series_left_out"))
	requirePromtool(t, []byte(page))
}

func TestJoinBlocks(t *testing.T) {
	f := func(o Options, want string, duplicates int, blocks ...messages.Block) {
		t.Helper()
		page, conflicts := text(t, collection(answer("a", blocks...)), o)
		got := strings.ReplaceAll(samplesOf(page, "x{"), `node_id="a",node_role="data"`, "")
		require.Equal(t, want, got)
		require.Equal(t, Conflicts{Duplicate: duplicates}, conflicts)
	}
	b := func(times []int64, series ...messages.Series) messages.Block {
		return messages.Block{Times: times, Families: []messages.Family{family("x", gauge, "", series...)}}
	}
	type times = []int64
	window, latest := Options{Timestamps: true}, Options{}
	gap := messages.Gap

	f(window, "x{} 1 10\nx{} 2 20\n", 0, b(times{10, 20}, one("", 1, 2)))
	f(window, "x{} 2 20\n", 0, b(times{10, 20}, one("", gap, 2)))
	f(window, "", 0, b(times{10, 20}, one("", gap, gap)))
	f(window, "x{} NaN 20\n", 0, b(times{10, 20}, one("", gap, math.NaN())))
	f(window, "x{} 1 10\nx{} 2 20\n", 0, b(times{20}, one("", 2)), b(times{10}, one("", 1)))
	f(window, "x{} 1 10\nx{} 2 15\nx{} 3 20\n", 0, b(times{10, 20}, one("", 1, 3)), b(times{15}, one("", 2)))
	f(window, "x{} 1 10\nx{} 2 20\n", 1, b(times{10, 20}, one("", 1, 2)), b(times{20}, one("", 3)))
	f(window, "x{} 3 10\nx{} 2 20\n", 0, b(times{10, 20}, one("", gap, 2)), b(times{10}, one("", 3)))
	f(window, "x{} 1 10\n", 1, b(times{10}, one("", 1), one("", 2)))
	f(window, "x{a=\"1\",} 1 10\nx{a=\"1\",} 3 20\nx{a=\"2\",} 2 10\nx{a=\"2\",} 4 20\n", 0,
		b(times{10}, one(`a="2"`, 2), one(`a="1"`, 1)), b(times{20}, one(`a="1"`, 3), one(`a="2"`, 4)))
	f(window, "x{} 1 0\nx{} 2 9223372036854775807\n", 0, b(times{0, math.MaxInt64}, one("", 1, 2)))

	f(latest, "x{} 2\n", 0, b(times{10, 20}, one("", 1, 2)))
	f(latest, "x{} 1\n", 0, b(times{10, 20}, one("", 1, gap)))
	f(latest, "x{} 2\n", 1, b(times{20}, one("", 2)), b(times{10}, one("", 1)))
	// The first target's value stays, also when the other one was scraped later.
	f(latest, "x{} 1\n", 1, b(times{10}, one("", 1)), b(times{20}, one("", 2)))
	f(latest, "x{} 2\n", 0, b(times{10}, one("", gap)), b(times{20}, one("", 2)))
	// What is the same only with its identity is the same.
	f(latest, "x{} 1\n", 1, b(times{10}, one(`node_id="a"`, 1), one(``, 2)))
	f(latest, "x{exported_node_id=\"b\",} 1\n", 1, b(times{10}, one(`exported_node_id="b"`, 1), one(`node_id="b"`, 2)))
}

func TestSeriesOrder(t *testing.T) {
	page, conflicts := text(t, collection(answer("a", block(1,
		family("h", histogram, "",
			suffixed(messages.SuffixCount, `z="1"`, 1),
			suffixed(messages.SuffixBucket, `le="1e3",z="1"`, 1),
			suffixed(messages.SuffixBucket, `a="2",le="-1"`, 1),
			suffixed(messages.SuffixBucket, `z="1"`, 1),
			suffixed(messages.SuffixBucket, `le="9",z="1"`, 1),
			suffixed(messages.SuffixBucket, `le="10",z="1"`, 1),
			suffixed(messages.SuffixBucket, `le="+Inf"`, 1),
			suffixed(messages.SuffixSum, `z="1"`, 1),
			suffixed(messages.SuffixBucket, `a="2",le="-2"`, 1),
		)))), Options{})
	require.Equal(t, Conflicts{}, conflicts)
	var got []string
	for line := range strings.Lines(samplesOf(page, "h_")) {
		got = append(got, line[:strings.Index(line, `node_id`)])
	}
	require.Equal(t, []string{
		`h_bucket{le="+Inf",`,
		`h_bucket{a="2",le="-2",`,
		`h_bucket{a="2",le="-1",`,
		`h_bucket{z="1",`,
		`h_bucket{le="9",z="1",`,
		`h_bucket{le="10",z="1",`,
		`h_bucket{le="1e3",z="1",`,
		`h_sum{z="1",`,
		`h_count{z="1",`,
	}, got)
}
