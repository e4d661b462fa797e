package rules

import (
	"bufio"
	"compress/gzip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/recorder"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

// recording is what was recorded of a real node for a while, see modes/causesbench: what has changed from one scrape to the next.
type recording []recordedStep

// recordedStep is the time since the scrape before, what was added to counters since then, and what gauges were.
type recordedStep struct {
	after  time.Duration
	series map[string]float64
}

// isCounter reports whether a series counts.
func isCounter(series string) bool {
	name, _, _ := strings.Cut(series, "{")
	return strings.HasSuffix(name, "_total") || strings.HasSuffix(name, "_sum") || strings.HasSuffix(name, "_count")
}

// readRecording reads a recording.
func readRecording(t *testing.T, piece string) (all recording) {
	t.Helper()
	f, err := os.Open("testdata/causes/" + piece + ".prom.gz")
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	var at int64
	values := map[string]float64{}
	for lines := bufio.NewScanner(z); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "} ")
		require.Len(t, fields, 2, line)
		number, stamp, _ := strings.Cut(fields[1], " ")
		value, err := strconv.ParseFloat(number, 64)
		require.NoError(t, err, line)
		now, err := strconv.ParseInt(stamp, 10, 64)
		require.NoError(t, err, line)
		if now != at {
			all = append(all, recordedStep{time.Duration(now-at) * time.Millisecond, map[string]float64{}})
			at = now
		}
		series, before := fields[0]+"}", 0.0
		if isCounter(series) {
			before = values[series]
		}
		all[len(all)-1].series[series], values[series] = value-before, value
	}
	require.Greater(t, len(all), 12)
	return all[1:] // What was counted before the first scrape is not of the recording.
}

// player goes on with the counters of a node.
type player struct {
	window   *window
	now      time.Time
	counters map[string]float64
	labels   map[string]labels.Labels
	started  float64 // unix time, of the node's process
}

// step records the next scrape.
func (p *player) step(t *testing.T, s recordedStep) {
	t.Helper()
	p.now = p.now.Add(s.after)
	var all []recorder.Sample
	for series, value := range s.series {
		of, known := p.labels[series]
		if !known {
			var err error
			of, err = newParser().ParseMetric(series)
			require.NoError(t, err)
			p.labels[series] = of
		}
		if isCounter(series) {
			p.counters[series] += value
			value = p.counters[series]
		}
		if of.Get(model.MetricNameLabel) == "fodc_node_process_start_time_seconds" {
			value = p.started
		}
		var pairs []string
		of.DropReserved(func(name string) bool { return name == model.MetricNameLabel }).Range(func(l labels.Label) { pairs = append(pairs, l.Name, l.Value) })
		all = append(all, gauge(of.Get(model.MetricNameLabel), value, pairs...))
	}
	p.window.scrape(p.now, "node", all...)
}

// every returns what was recorded with a scrape interval that is so many times as long.
func (r recording) every(times int) (scrapes recording) {
	for ; len(r) >= times; r = r[times:] {
		s := recordedStep{0, map[string]float64{}}
		for _, step := range r[:times] {
			s.after += step.after
			for series, value := range step.series {
				if isCounter(series) {
					value += s.series[series]
				}
				s.series[series] = value
			}
		}
		scrapes = append(scrapes, s)
	}
	return scrapes
}

// with returns a recording in which some series are those of another one.
func (r recording) with(other recording, prefix string) (mixed recording) {
	for i, s := range r {
		m := recordedStep{s.after, map[string]float64{}}
		for series, value := range s.series {
			if !strings.HasPrefix(series, prefix) {
				m.series[series] = value
			}
		}
		for series, value := range other[i%len(other)].series {
			if strings.HasPrefix(series, prefix) {
				m.series[series] = value
			}
		}
		mixed = append(mixed, m)
	}
	return mixed
}

// TestRecordingsAreComplete: each recording has all that the rules about causes read.
func TestRecordingsAreComplete(t *testing.T) {
	set, err := Load(true, nil)
	require.NoError(t, err)
	for _, r := range recorded {
		names := map[string]bool{}
		for _, s := range readRecording(t, r.piece) {
			for series := range s.series {
				name, _, _ := strings.Cut(series, "{")
				names[name] = true
			}
		}
		for _, d := range set.Named(causes...).Rules() {
			for _, s := range selectorsOf(d.expr) {
				for _, m := range s.matchers {
					require.True(t, m.Name != model.MetricNameLabel || names[m.Value], "%s: there is no %s in it, which %s reads", r.piece, m.Value, d.Name)
				}
			}
		}
	}
}
