package recorder

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func restartEvent(target string, n int, detail string) Event {
	return Event{Kind: EventRestart, Target: target, At: at(n), Last: at(n), Scrapes: 1, Detail: detail}
}

func failureEvent(from, to, scrapes int, detail string) Event {
	return Event{Kind: EventScrapeFailed, Target: "node", At: at(from), Last: at(to), Scrapes: scrapes, Detail: detail}
}

// scrapeFails records a failed scrape with its cause.
func scrapeFails(w *Window, n int, why string) {
	w.Append(node, Scrape{At: at(n), Failure: why, Samples: []Sample{{Name: "fodc_node_up", Value: 0}}})
}

// A node dies and a new process takes its place. Its counters begin again, and the scrapes in
// between have no samples.
func TestRestart(t *testing.T) {
	w := NewWindow(Limits{chunkScrapes: 3})
	page := func(start, total int) string {
		return fmt.Sprintf("process_start_time_seconds %d.5\nc_total %d\n", 1_700_000_000+start, total)
	}
	require.Empty(t, w.Events())
	scrape(t, w, 0, page(0, 100))
	scrape(t, w, 1, page(0, 110))
	scrape(t, w, 2, page(1, 120)) // The clock is being adjusted.
	scrapeFails(w, 3, "connection refused")
	scrapeFails(w, 4, "timeout")
	scrape(t, w, 5, page(55, 3))
	scrape(t, w, 6, page(55, 4))
	require.Equal(t, []Event{
		failureEvent(3, 4, 2, "timeout"),
		restartEvent("node", 5, "started at 2023-11-14T22:14:15.500Z, before at 2023-11-14T22:13:20.500Z"),
	}, w.Events())
	require.Equal(t, []string{"0:100", "1:110", "2:120", "5:3", "6:4"}, samplesOf(drain(w.Snapshot(everything)), "c_total{}"))
}

// A start time is kept when its series was evicted.
func TestRestartAfterTheWindow(t *testing.T) {
	w := NewWindow(Limits{Bytes: 100 << 10, chunkScrapes: 10})
	scrape(t, w, 0, "node_process_start_time_seconds{x=\"1\"} 1e9\n")
	for n := 1; n < 200; n++ {
		scrape(t, w, n, noisy(n, 50))
	}
	require.Empty(t, drain(w.Snapshot(between(at(0), at(1)))))
	scrape(t, w, 200, "node_process_start_time_seconds{x=\"2\"} 3e9\n")
	require.Empty(t, w.Events(), "another process")
	scrape(t, w, 201, "node_process_start_time_seconds{x=\"1\"} 2e9\n")
	require.Len(t, w.Events(), 1)
	require.Equal(t, EventRestart, w.Events()[0].Kind)
}

func TestStartTimesThatSayNothing(t *testing.T) {
	w := NewWindow(Limits{})
	for n, value := range []string{"1e9", "0", "NaN", "-1", "1e9", "1000000001.9"} {
		scrape(t, w, n, "process_start_time_seconds "+value+"\n")
	}
	for i := range 2 * maxStartTimes {
		scrape(t, w, 10+i, fmt.Sprintf("process_start_time_seconds{i=\"%d\"} %d\n", i, i+1))
	}
	require.Empty(t, w.Events())
	require.Len(t, w.sorted[0].starts, maxStartTimes)
	for n, value := range []string{"1e300", "+Inf", "1"} {
		scrape(t, w, 50+n, "process_start_time_seconds "+value+"\n")
	}
	require.Len(t, w.Events(), 3)
}

func TestFailures(t *testing.T) {
	w := NewWindow(Limits{})
	fail(w, 0) // A target that has no page does not fail.
	require.Empty(t, w.Events())
	scrapeFails(w, 1, "a")
	scrape(t, w, 2, "a 1\n")
	var unusable Page
	unusable.Parse([]byte("<html>"), textType, ParseLimits{})
	w.Append(node, Scrape{At: at(3), Page: &unusable})
	scrapeFails(w, 4, strings.Repeat("é", maxDetailBytes))
	events := w.Events()
	require.Equal(t, failureEvent(1, 1, 1, "a"), events[0])
	require.Len(t, events, 2)
	require.Equal(t, 2, events[1].Scrapes)
	require.Equal(t, strings.Repeat("é", maxDetailBytes/2), events[1].Detail)
	require.Equal(t, at(3), events[1].At)
}

// The newest events are kept.
func TestEventsAreBounded(t *testing.T) {
	w := NewWindow(Limits{})
	page := textPage(t, "a 1\n")
	const failures = 2*maxEvents + 7
	for n := range failures {
		scrapeFails(w, 2*n, fmt.Sprint(n))
		w.Append(node, Scrape{At: at(2*n + 1), Page: page})
	}
	events := w.Events()
	require.Len(t, events, maxEvents)
	for i, e := range events {
		require.Equal(t, fmt.Sprint(failures-maxEvents+i), e.Detail)
		require.Equal(t, at(2*(failures-maxEvents+i)), e.At)
	}
	require.Equal(t, int64(maxEvents*8), w.events.texts)
	// A run of failures whose event was lost to others begins a new one.
	scrapeFails(w, 10_000, "long")
	other := Target{Name: "other"}
	for n := range maxEvents {
		w.Append(other, Scrape{At: at(n), Failure: "x"})
		w.Append(other, Scrape{At: at(n).Add(time.Second), Page: page})
	}
	require.Equal(t, "x", w.Events()[0].Detail)
	scrapeFails(w, 10_001, "long")
	require.Equal(t, failureEvent(10_001, 10_001, 1, "long"), w.Events()[maxEvents-1])
}

// A start time that is computed from a clock which is being adjusted drifts. That is no
// restart, however far it drifts.
func TestDriftingStartTimeIsNoRestart(t *testing.T) {
	w := NewWindow(Limits{})
	for n := range 100 {
		scrape(t, w, n, fmt.Sprintf("process_start_time_seconds %g\n", 1_000+0.5*float64(n)))
	}
	require.Empty(t, w.Events())
	scrape(t, w, 100, "process_start_time_seconds 1060\n")
	require.Len(t, w.Events(), 1)
	require.Contains(t, w.Events()[0].Detail, "before at 1970-01-01T00:16:40.000Z")
}
