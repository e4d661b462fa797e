package agent

import (
	"fmt"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// restartOf is what the recorder notices of a restart, seconds after the beginning of the test.
func restartOf(target string, noticed, started float64) recorder.Event {
	at := func(s float64) time.Time { return time.UnixMilli(int64(1e12 + 1000*s)).UTC() }
	return recorder.Event{Kind: recorder.EventRestart, Target: target, At: at(noticed), Detail: fmt.Sprintf("started at %s, before at %s",
		at(started).Format("2006-01-02T15:04:05.000Z"), at(-500).Format("2006-01-02T15:04:05.000Z"))}
}

// A restart of the node is in the timeline once, with the start time of the kernel, and at the time at which it was noticed first.
func TestRestartInTheTimeline(t *testing.T) {
	const page, other = "http://127.0.0.1:2121/metrics", "http://127.0.0.1:9000/metrics"
	f := func(want []string, events ...recorder.Event) {
		t.Helper()
		s := newIncidentsState(testIncidentTimes, testIncidentNode, nil, time.UnixMilli(1e12))
		s.recorded(events)
		doc := &messages.Incident{From: time.UnixMilli(1e12), Nodes: []messages.IncidentNode{testIncidentNode()}}
		for range 2 { // A document of before has the page's line, as of a process that was killed between both.
			timeline, _ := s.timeline(doc)
			var got []string
			for _, e := range timeline {
				got = append(got, fmt.Sprintf("%.1f %s", e.At.Sub(doc.From).Seconds(), e.Text))
			}
			require.Equal(t, want, got)
			s.recorded(events[:1])
			before, _ := s.timeline(&messages.Incident{From: doc.From, Nodes: doc.Nodes})
			doc.Timeline = before
			s.recorded(events)
		}
	}
	node := "the process of the node was started again: started at 2001-09-09T01:46:48.500Z, before at 2001-09-09T01:38:20.000Z"
	f([]string{"10.0 " + node}, restartOf(page, 10, 9), restartOf(hostTarget, 12, 8.5))
	f([]string{"10.0 " + node}, restartOf(hostTarget, 10, 8.5), restartOf(page, 12, 9))
	f([]string{"10.0 " + node}, restartOf(page, 10, 9), restartOf(other, 11, 9), restartOf(hostTarget, 12, 8.5))
	f([]string{"10.0 " + node, "20.0 the process of " + page + " was started again: started at 2001-09-09T01:46:59.000Z, before at 2001-09-09T01:38:20.000Z"},
		restartOf(hostTarget, 10, 8.5), restartOf(page, 20, 19))
	f([]string{"12.0 the process of " + page + " was started again: started at 2001-09-09T01:46:49.000Z, before at 2001-09-09T01:38:20.000Z"}, restartOf(page, 12, 9))
}
