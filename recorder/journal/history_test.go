package journal_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"
)

// history is an agent that records, evicts, ends and starts again, beside a window that holds
// everything.
type history struct {
	*rapid.T
	disk   *journaltest.Disk
	writer *journal.Writer
	clock  time.Time
	// everything has all scrapes, memory the newest ones.
	everything, memory *recorder.Window
	limits             recorder.Limits
	// times are those of all scrapes.
	times []time.Time
}

func drawHistory(t *rapid.T) *history {
	h := &history{T: t, disk: journaltest.New(), clock: begin, everything: recorder.NewWindow(recorder.Limits{})}
	h.limits.Bytes = rapid.Int64Range(80<<10, 120<<10).Draw(t, "bytes")
	h.start(false)
	for range rapid.IntRange(1, 80).Draw(t, "steps") {
		if rapid.IntRange(0, 19).Draw(t, "ends") == 0 {
			if rapid.Bool().Draw(t, "stopped") {
				require.NoError(t, h.writer.Close(h.clock))
			}
			h.start(rapid.IntRange(0, 3).Draw(t, "recovers") > 0)
		}
		h.scrape()
	}
	return h
}

// start starts the agent.
func (h *history) start(recovers bool) {
	cfg := config
	cfg.RetentionTime, cfg.RetentionBytes = 1000*time.Hour, 1<<30
	h.writer = journal.NewWriter(h.disk, cfg)
	require.NoError(h, h.writer.Open(h.clock))
	h.memory = recorder.NewWindow(h.limits)
	if recovers {
		since := h.drawTime("since")
		w, _, err := journal.Recover(h.writer.View(), h.disk,
			journal.Recovery{Limits: h.limits, Base: h.writer.Stats().Base, Since: since.UnixMilli()})
		require.NoError(h, err)
		h.memory = w
	}
}

var steps = []time.Duration{10 * time.Second, 10 * time.Second, 10 * time.Second, 15*time.Second + time.Microsecond, 3 * time.Millisecond,
	0, 25 * time.Minute, -25 * time.Second, -time.Minute, -time.Minute - time.Millisecond, -5 * time.Hour, 4 * time.Hour}

var targets = []string{"one", "two"}

// scrape records a scrape of any target.
func (h *history) scrape() { h.scrapeOf(rapid.SampledFrom(targets).Draw(h.T, "target")) }

func (h *history) scrapeOf(name string) {
	of := recorder.Target{Name: name, Labels: []messages.Label{{Name: "target", Value: name}}}
	h.clock = h.clock.Add(rapid.SampledFrom(steps).Draw(h.T, "step"))
	h.times = append(h.times, h.clock)
	s := recorder.Scrape{At: h.clock, Samples: []recorder.Sample{{Name: "up", Type: messages.TypeGauge, Help: "Up.", Value: 1}}}
	if rapid.IntRange(0, 9).Draw(h.T, "fails") == 0 {
		s.Failure = "timeout"
	} else {
		s.Page = &recorder.Page{}
		s.Page.Parse([]byte(drawPage(h.T)), "text/plain; version=0.0.4", recorder.ParseLimits{})
		require.NoError(h, s.Page.FirstBad())
	}
	h.everything.Append(of, s)
	done, b := h.memory.AppendBatch(of, s)
	require.Zero(h, done.Dropped.NoRoom())
	require.NoError(h, h.writer.Append(b, h.clock))
}

// drawPage is a page of few families, whose series, types and helps come and go.
func drawPage(t *rapid.T) string {
	var b strings.Builder
	if start := rapid.IntRange(0, 3).Draw(t, "start"); start > 0 {
		fmt.Fprintf(&b, "process_start_time_seconds %d\n", start*10)
	}
	for _, name := range []string{"a", "b", "c"} {
		if rapid.IntRange(0, 5).Draw(t, "absent") == 0 {
			continue
		}
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, rapid.SampledFrom([]string{"help", "help", "help", "other"}).Draw(t, "help"),
			name, rapid.SampledFrom([]string{"gauge", "gauge", "gauge", "counter"}).Draw(t, "type"))
		for i := range 4 {
			if rapid.IntRange(0, 5).Draw(t, "gone") > 0 {
				fmt.Fprintf(&b, "%s{n=\"%d\"} %d\n", name, i, rapid.IntRange(0, 99).Draw(t, "value"))
			}
		}
	}
	return b.String()
}

// drawTime draws a time close to that of a scrape.
func (h *history) drawTime(name string) time.Time {
	at := begin
	if len(h.times) > 0 {
		at = rapid.SampledFrom(h.times).Draw(h.T, name)
	}
	off := []time.Duration{0, 0, time.Microsecond, -time.Microsecond, time.Millisecond, time.Hour, -time.Hour, -100 * time.Hour}
	return at.Add(rapid.SampledFrom(off).Draw(h.T, name+", off"))
}

func (h *history) drawSelection() messages.Selection {
	draw := h.drawTime
	sel := messages.Selection{Names: rapid.SampledFrom([][]string{nil, nil, {"a"}, {"b", "up", "none"}}).Draw(h.T, "names")}
	switch rapid.IntRange(0, 3).Draw(h.T, "bounds") {
	case 0:
		sel.Window = messages.Window{Start: time.UnixMilli(1)}
	case 1:
		sel.Window = messages.Window{Start: draw("start")}
	case 2:
		sel.Window = messages.Window{End: draw("end")}
	default:
		sel.Window = messages.Window{Start: draw("start"), End: draw("end")}
	}
	return sel
}

// answer has the samples of an answer: "time value" by series, in the order of recording.
type answer struct {
	t        require.TestingT
	samples  map[string][]string
	families map[string]string
	// scrapes are the times of all scrapes by target, those of samples among them, ascending.
	scrapes map[string][]int64
	// targeted says that blocks must name their targets.
	targeted bool
}

func newAnswer(t require.TestingT) *answer {
	return &answer{t, make(map[string][]string), make(map[string]string), make(map[string][]int64), false}
}

func (a *answer) add(blocks []messages.Block) {
	for _, b := range blocks {
		require.NotEmpty(a.t, b.Times)
		for i := range b.Times {
			require.True(a.t, i == 0 || b.Times[i-1] < b.Times[i])
		}
		require.Equal(a.t, a.targeted, b.Target != "")
		require.True(a.t, a.targeted || len(b.Families) > 0)
		if a.targeted {
			times := append(a.scrapes[b.Target], b.Times...)
			slices.Sort(times)
			a.scrapes[b.Target] = slices.Compact(times)
		}
		for i := range b.Families {
			f := &b.Families[i]
			f.Unshare()
			require.True(a.t, i == 0 || b.Families[i-1].Name < f.Name)
			for _, s := range f.Series {
				a.addSeries(b, f, s)
			}
		}
	}
}

func (a *answer) addSeries(b messages.Block, f *messages.Family, s messages.Series) {
	require.Len(a.t, s.Values, len(b.Times))
	labels := messages.LabelText(s.Labels).Labels()
	target := labels[len(labels)-1].Value
	if slices.Contains(targets, target) && b.Target != "" {
		require.Equal(a.t, target, b.Target)
	}
	family := f.Name + " of " + target
	metadata := fmt.Sprint(f.Type, " ", f.Help)
	if before, known := a.families[family]; known {
		require.Equal(a.t, before, metadata, "an answer contradicts itself")
	}
	a.families[family] = metadata
	for i, v := range s.Values {
		if !messages.IsGap(v) {
			name := fmt.Sprintf("%s%s{%s}", f.Name, s.Suffix, s.Labels)
			a.samples[name] = append(a.samples[name], fmt.Sprint(b.Times[i], " ", math.Float64bits(v)))
		}
	}
}

func (a *answer) addSnapshot(s *recorder.Snapshot, budget int) {
	for blocks := s.Next(budget); blocks != nil; blocks = s.Next(budget) {
		a.add(blocks)
	}
}

// addReader adds what is left of a reader, and returns its errors.
func (a *answer) addReader(r *journal.Reader, budget int) (errs []error) {
	defer r.Close()
	for {
		blocks, err := r.Next(budget)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if blocks == nil {
			return errs
		}
		a.add(blocks)
	}
}

// newestFamilies has the families that memory has, as it shows them.
func newestFamilies(h *history) map[string]string {
	all := make(map[string]string)
	for _, held := range h.memory.Held() {
		for _, f := range held.Families {
			all[f.Name+" of "+held.Target] = fmt.Sprint(f.Type, " ", f.Help)
		}
	}
	return all
}
