package promstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/stretchr/testify/require"
)

// t0 is the time from which tests count, in unix milliseconds.
const t0 = int64(1_700_000_000_000)

// scrape is a scrape of a target: what is in it by the name of its family and the text of its
// labels, nothing if it failed.
type scrape struct {
	at      int64
	samples map[sampleKey]float64
}

type sampleKey struct {
	family string
	kind   messages.MetricType
	suffix messages.Suffix
	labels messages.LabelText
}

// target is what an agent scrapes, in the order in which it did.
type target struct {
	name    string
	scrapes []scrape
}

// agent is a fake agent: it answers from its scrapes.
type agent struct {
	messages.NodeAnswer
	targets []target
	// perBlock is how many scrapes a block has.
	perBlock int
	// baseline says that it knows nothing of scrape times, allTimes that it says those of scrapes with samples,
	// too, in blocks of their own.
	baseline, allTimes bool
	// shared has the descriptors that blocks share as those of an answer from the wire do, by their
	// texts; nil if they share nothing.
	shared map[string]*messages.Descriptor
}

// agents are fake agents. They record what they were asked.
type agents struct {
	all []agent
	now int64
	err error

	mu    sync.Mutex
	asked []messages.Query
	// collected and released count what must be equal in the end.
	collected, released int
}

func (a *agents) store() *Store {
	return New(Config{Timeout: 10 * time.Second, Now: func() time.Time { return time.UnixMilli(a.now) }, Collect: a.collect})
}

func (a *agents) collect(ctx context.Context, q messages.Query) (*messages.Collection, func(), error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, q)
	release := func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.released++
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	a.collected++
	c := &messages.Collection{}
	for i := range a.all {
		if of := &a.all[i]; len(q.Filter.NodeIDs) == 0 || slices.Contains(q.Filter.NodeIDs, of.Identity.NodeID) {
			c.Nodes = append(c.Nodes, of.answer(q))
		}
	}
	return c, release, a.err
}

func (a *agent) answer(q messages.Query) messages.NodeAnswer {
	answer := a.NodeAnswer
	if answer.Missing != messages.MissingNone {
		return answer
	}
	w := q.Selection.Window
	offset := answer.ClockOffset.Milliseconds()
	for _, t := range a.targets {
		scrapes := t.scrapes
		switch {
		case w.IsLatest():
			scrapes = scrapes[max(0, len(scrapes)-1):]
		default:
			scrapes = slices.DeleteFunc(slices.Clone(scrapes), func(s scrape) bool {
				return s.at+offset < w.Start.UnixMilli() || s.at+offset > w.End.UnixMilli()
			})
		}
		samples := a.blocksOf(t.name, scrapes, q.Selection)
		answer.Blocks = append(answer.Blocks, samples...)
		if q.Selection.ScrapeTimes && !w.IsLatest() && !a.baseline {
			if !a.allTimes {
				scrapes = slices.DeleteFunc(slices.Clone(scrapes), func(s scrape) bool {
					return slices.ContainsFunc(samples, func(b messages.Block) bool { return slices.Contains(b.Times, s.at) })
				})
			}
			answer.Blocks = append(answer.Blocks, timesOf(t.name, scrapes)...)
		}
	}
	return answer
}

// timesOf returns the times of scrapes, in blocks in which they ascend.
func timesOf(name string, scrapes []scrape) (blocks []messages.Block) {
	for i, s := range scrapes {
		if i == 0 || s.at <= scrapes[i-1].at {
			blocks = append(blocks, messages.Block{Target: name})
		}
		last := &blocks[len(blocks)-1]
		last.Times = append(last.Times, s.at)
	}
	return blocks
}

// blocksOf returns the samples of scrapes, in blocks of perBlock successful ones.
func (a *agent) blocksOf(name string, scrapes []scrape, sel messages.Selection) (blocks []messages.Block) {
	for from := 0; from < len(scrapes); {
		to := from + 1
		for to < len(scrapes) && to-from < a.perBlock && scrapes[to].at > scrapes[to-1].at {
			to++
		}
		some := slices.DeleteFunc(slices.Clone(scrapes[from:to]), func(s scrape) bool { return len(s.samples) == 0 })
		from = to
		if b := blockOf(name, some, sel); len(b.Families) > 0 {
			if a.baseline {
				b.Target = ""
			}
			if a.shared != nil {
				a.share(&b)
			}
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// share lets the block have its families as those of the same text before, and its values apart.
func (a *agent) share(b *messages.Block) {
	b.Values, b.TextBytes = []float64{}, 1
	for i := range b.Families {
		f := &b.Families[i]
		slices.SortFunc(f.Series, func(a, b messages.Series) int { return strings.Compare(string(a.Labels), string(b.Labels)) })
		for k := range f.Series {
			s := &f.Series[k]
			b.Values = append(b.Values, s.Values...)
			s.Values, s.Info = nil, messages.InternLabelInfo(s.Labels, "")
		}
		text := fmt.Sprint(f.Name, f.Type, f.Series)
		d, known := a.shared[text]
		if !known {
			d = messages.NewDescriptor(f.Name, f.Type, "", f.Series)
			a.shared[text] = d
		}
		f.SetDescriptor(d)
	}
}

func blockOf(name string, scrapes []scrape, sel messages.Selection) messages.Block {
	b := messages.Block{Target: name}
	families := make(map[string]int)
	series := make(map[sampleKey]*messages.Series)
	for i, s := range scrapes {
		b.Times = append(b.Times, s.at)
		for _, k := range keysOf(s.samples) {
			if len(sel.Names) > 0 && !slices.Contains(sel.Names, k.family) {
				continue
			}
			f, known := families[k.family]
			if !known {
				f = len(b.Families)
				families[k.family] = f
				b.Families = append(b.Families, messages.Family{Name: k.family, Type: k.kind, Series: make([]messages.Series, 0, 99)})
			}
			of := series[k]
			if of == nil {
				all := &b.Families[f].Series
				*all = append(*all, messages.Series{Suffix: k.suffix, Labels: k.labels, Values: slices.Repeat([]float64{messages.Gap}, len(scrapes))})
				of = &(*all)[len(*all)-1]
				series[k] = of
			}
			of.Values[i] = s.samples[k]
		}
	}
	if sel.SeriesOnly {
		b.Times = b.Times[:min(1, len(b.Times))]
		for _, s := range series {
			s.Values = []float64{0}
		}
	}
	return b
}

func keysOf(samples map[sampleKey]float64) (keys []sampleKey) {
	for k := range samples {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b sampleKey) int {
		return slices.Compare([]string{a.family, string(a.labels), a.suffix.String()}, []string{b.family, string(b.labels), b.suffix.String()})
	})
	return keys
}

// gauge returns a scrape with a sample of each of the families, which have no labels.
func gauge(at int64, value float64, names ...string) scrape {
	s := scrape{at: t0 + at, samples: make(map[sampleKey]float64)}
	for _, name := range names {
		s.samples[sampleKey{family: name, kind: messages.TypeGauge}] = value
	}
	return s
}

func failed(at int64) scrape { return scrape{at: t0 + at} }

func named(id string, scrapes ...scrape) agent {
	return agent{NodeAnswer: messages.NodeAnswer{Identity: messages.Identity{NodeID: id}, AgentVersion: "v1"}, perBlock: 3, targets: []target{{"t", scrapes}}}
}

// point is a sample that an iterator has returned; a marker of staleness has the bits of one.
type point struct {
	at   int64
	bits uint64
}

// samplesOf returns the samples of a selection by series, and checks that Next has returned them in
// order.
func samplesOf(t require.TestingT, set storage.SeriesSet) map[string][]chunks.Sample {
	all := make(map[string][]chunks.Sample)
	var it chunkenc.Iterator
	for set.Next() {
		s := set.At()
		name := s.Labels().String()
		require.NotContains(t, all, name)
		it = s.Iterator(it)
		all[name] = []chunks.Sample{}
		for it.Next() != chunkenc.ValNone {
			at, v := it.At()
			if n := len(all[name]); n > 0 {
				require.Greater(t, at, all[name][n-1].T())
			}
			all[name] = append(all[name], scriptSample{at: at, value: v})
		}
		require.NoError(t, it.Err())
	}
	require.NoError(t, set.Err())
	return all
}

func matcher(name, value string) *labels.Matcher {
	return labels.MustNewMatcher(labels.MatchEqual, name, value)
}

func regexpMatcher(name, value string) *labels.Matcher {
	return labels.MustNewMatcher(labels.MatchRegexp, name, value)
}

func matchAllLabels(matchers []*labels.Matcher, l labels.Labels) bool {
	return (&watch{ctx: context.Background()}).matchesAll(matchers, l)
}
