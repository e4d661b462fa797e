package journal_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
)

// withFailures is a journal of three segments an hour apart, each of four scrapes of a node at 10 s, of which the
// third has failed, and one of the agent. Only the second has series /2, and a family of its own behind its first scrape.
func withFailures(t *testing.T) *kit {
	k := newKit(t)
	other := &recorder.SeriesList{Keys: []recorder.SeriesKey{{Name: "up", Labels: `path="-"`}}, FamilyOf: []int32{0}, Families: []recorder.Family{{Name: "up"}}}
	late := &recorder.SeriesList{Keys: []recorder.SeriesKey{{Name: "late", Labels: `path="-"`}}, FamilyOf: []int32{0}, Families: []recorder.Family{{Name: "late"}}}
	for segment := range 3 {
		begun := k.now
		for n := range 4 {
			b := k.batch(2)
			switch {
			case n == 2:
				b.Failure, b.Series, b.Values = "refused", &recorder.SeriesList{}, nil
			case segment == 1 && n == 0:
				k.number--
				b = k.batch(3)
			case segment == 1 && n == 1:
				b.Series, b.Values = late, []float64{1}
			}
			require.NoError(t, k.writer.Append(b, k.now))
			k.pass(10 * time.Second)
		}
		k.number++
		require.NoError(t, k.writer.Append(&recorder.Batch{Number: k.number, Target: "agent", At: k.now.UnixMilli(), Series: other, Values: []float64{1}}, k.now))
		require.NoError(t, k.writer.Close(k.now))
		k.now = begun.Add(time.Hour)
		k.restart()
	}
	return k
}

const nodeTarget = "http://node/metrics"

// answerOf reads what a query wants, and returns it with the times of scrapes since the begin, by target.
func answerOf(k *kit, q journal.Query) (a *answer, scrapes map[string][]string) {
	k.Helper()
	a = newAnswer(k)
	a.targeted = q.Selection.ScrapeTimes
	require.Empty(k, a.addReader(k.writer.View().NewReader(k.disk, q), math.MaxInt))
	scrapes = map[string][]string{}
	for target, times := range a.scrapes {
		for _, at := range times {
			scrapes[target] = append(scrapes[target], time.UnixMilli(at).Sub(begin).String())
		}
	}
	return a, scrapes
}

func TestReaderOfScrapeTimes(t *testing.T) {
	k := withFailures(t)
	node := []string{"0s", "10s", "20s", "30s", "1h0m0s", "1h0m10s", "1h0m20s", "1h0m30s", "2h0m0s", "2h0m10s", "2h0m20s", "2h0m30s"}
	agent := []string{"40s", "1h0m40s", "2h0m40s"}
	f := func(sel messages.Selection, node, agent []string, series ...string) {
		t.Helper()
		sel.ScrapeTimes = true
		got, scrapes := answerOf(k, journal.Query{Selection: sel})
		want := map[string][]string{}
		if node != nil {
			want[nodeTarget] = node
		}
		if agent != nil {
			want["agent"] = agent
		}
		require.Equal(t, want, scrapes)
		sel.ScrapeTimes = false
		plain, _ := answerOf(k, journal.Query{Selection: sel})
		require.Equal(t, plain.samples, got.samples, "the samples are the same")
		var names []string
		for name := range got.samples {
			names = append(names, name)
		}
		require.ElementsMatch(t, series, names)
	}
	paths := []string{`requests_total{path="/0"}`, `requests_total{path="/1"}`}
	f(messages.Selection{}, node, agent, append(paths, `requests_total{path="/2"}`, `late{path="-"}`, `up{path="-"}`)...)
	f(messages.Selection{Names: []string{"none"}}, node, agent)
	f(messages.Selection{Names: []string{"late"}}, node, agent, `late{path="-"}`)
	f(messages.Selection{Names: []string{"up"}}, node, agent, `up{path="-"}`)
	f(messages.Selection{Window: messages.Window{Start: begin.Add(20 * time.Second), End: begin.Add(time.Hour)}}, node[2:5], agent[:1],
		append(paths, `requests_total{path="/2"}`, `up{path="-"}`)...)
	f(messages.Selection{Window: messages.Window{Start: begin.Add(20 * time.Second), End: begin.Add(20 * time.Second)}}, node[2:3], nil)

	held := []recorder.Held{{Target: nodeTarget, Oldest: -4, At: begin.Add(2 * time.Hour).UnixMilli()}, {Target: "agent", Oldest: 0, At: begin.Add(2*time.Hour + 40*time.Second).UnixMilli()}}
	_, scrapes := answerOf(k, journal.Query{Selection: messages.Selection{ScrapeTimes: true}, Held: held, Base: 15})
	require.Equal(t, map[string][]string{nodeTarget: node[:8], "agent": agent[:2]}, scrapes, "what is in memory is not read")

	k.disk.Vanish("00000001.segment")
	k.disk.Flip("00000003.segment", 8*(len(k.disk.Bytes("00000003.segment"))/2))
	_, scrapes = answerOf(k, journal.Query{Selection: messages.Selection{ScrapeTimes: true}})
	require.Equal(t, node[4:8], scrapes[nodeTarget][:4])
	require.Less(t, len(scrapes[nodeTarget]), 8, "up to the damage")
}

func TestReaderOfSeriesOnly(t *testing.T) {
	k := withFailures(t)
	f := func(sel messages.Selection, want ...string) {
		t.Helper()
		for _, times := range []bool{false, true} {
			sel.SeriesOnly, sel.ScrapeTimes = true, times
			got, scrapes := answerOf(k, journal.Query{Selection: sel})
			var names []string
			for name, samples := range got.samples {
				require.Len(t, samples, 1, "once over all segments")
				var at int64
				var value float64
				_, err := fmt.Sscan(samples[0], &at, &value)
				require.NoError(t, err)
				require.Zero(t, value)
				names = append(names, name+" "+time.UnixMilli(at).Sub(begin).String())
			}
			slices.Sort(names)
			require.Equal(t, want, names)
			sel.SeriesOnly = false
			_, plain := answerOf(k, journal.Query{Selection: sel})
			require.Equal(t, plain, scrapes)
		}
	}
	f(messages.Selection{}, `late{path="-"} 1h0m30s`, `requests_total{path="/0"} 30s`, `requests_total{path="/1"} 30s`, `requests_total{path="/2"} 1h0m30s`, `up{path="-"} 40s`)
	f(messages.Selection{Names: []string{"late", "up"}}, `late{path="-"} 1h0m30s`, `up{path="-"} 40s`)
	f(messages.Selection{Window: messages.Window{Start: begin.Add(time.Hour + time.Second), End: begin.Add(time.Hour + 10*time.Second)}}, `late{path="-"} 1h0m10s`)
	f(messages.Selection{Window: messages.Window{Start: begin.Add(20 * time.Second), End: begin.Add(20 * time.Second)}})
	f(messages.Selection{Window: messages.Window{Start: begin.Add(2 * time.Hour)}}, `requests_total{path="/0"} 2h0m30s`, `requests_total{path="/1"} 2h0m30s`, `up{path="-"} 2h0m40s`)
	f(messages.Selection{Names: []string{"none"}})
}
