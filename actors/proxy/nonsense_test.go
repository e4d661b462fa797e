package proxy

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// nonsense is what agents may send that nobody should: by the node's name, the frames
// of its answer to a request.
var nonsense = map[string]func(id uint64) []*wire.StreamMetricsRequest{
	"bad-names": func(id uint64) []*wire.StreamMetricsRequest {
		return frames(id, column("bad\x00name", `a="1"`), column("", `a="1"`), column("ok", `a-b="1"`), column("g", `__name__="up"`))
	},
	"newlines": func(id uint64) []*wire.StreamMetricsRequest {
		return frames(id, column("g", "a=\"1\n# TYPE g counter\ng 42\""), column("g", `a="1"} 42`+"\n"+`g{b="2"`), column("g\n# EOF", `a="1"`))
	},
	"duplicates": func(id uint64) []*wire.StreamMetricsRequest {
		return frames(id, column("g", `a="1"`), column("g", `a="1"`), column("g", `a="1",a="2"`))
	},
	"shapes": func(id uint64) []*wire.StreamMetricsRequest {
		f := column("g", `a="1"`)
		f.Values = nil
		odd := column("g", `a="1"`)
		odd.Type = 99
		return append(frames(id, f, odd, nil), &wire.StreamMetricsRequest{RequestId: id + 1000}, &wire.StreamMetricsRequest{RequestId: id})
	},
	"too-many": func(id uint64) (all []*wire.StreamMetricsRequest) {
		texts := tooManyTexts()
		for part := range tooManyFrames {
			f := column("g")
			f.LabelTexts, f.Values = texts[part*10_000:(part+1)*10_000], make([]float64, 10_000)
			frame := frames(id, f)[0]
			frame.MoreFollows = part < tooManyFrames-1
			all = append(all, frame)
		}
		return all
	},
}

// tooManyFrames have ten times the series that an agent may have, which is also more than the decoder's cache of label
// texts keeps: it is emptied several times on the way.
const tooManyFrames = 10

var tooManyTexts = sync.OnceValue(func() []string {
	texts := make([]string, tooManyFrames*10_000)
	for i := range texts {
		texts[i] = fmt.Sprintf(`n="%d"`, i)
	}
	return texts
})

func column(name string, texts ...string) *wire.Family {
	f := &wire.Family{Name: name, Type: wire.MetricType_METRIC_TYPE_GAUGE, LabelTexts: texts}
	for range texts {
		f.Values = append(f.Values, 42)
	}
	return f
}

func frames(id uint64, families ...*wire.Family) []*wire.StreamMetricsRequest {
	return []*wire.StreamMetricsRequest{{RequestId: id, Blocks: []*wire.Block{{TimeDeltas: []int64{1000}, Families: families}}}}
}

// Agents that send nonsense have it counted, each of them its own; what the others say
// is all there, and takes no longer.
func TestNonsenseIsCountedAndHarmsNobody(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(baseline("fine"), always(1))
		for name, answer := range nonsense {
			w.agent(columnar(name), func(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest { return answer(r.GetRequestId()) })
		}
		synctest.Wait()
		for _, window := range []messages.Window{{}, {Start: time.Unix(0, 0)}} {
			begin := time.Now()
			c := w.collect(messages.Query{Selection: messages.Selection{Window: window}})
			require.Zero(t, time.Since(begin), "nobody waits")
			problems, series := map[string]messages.Problems{}, map[string]int{}
			for _, n := range c.Nodes {
				require.Empty(t, n.Missing, n.Identity.NodeID)
				require.LessOrEqual(t, len(n.Blocks), 2, "dropped blocks are not kept")
				problems[n.Identity.NodeID], series[n.Identity.NodeID] = n.Problems, countSeries(n.Blocks)
				for _, b := range n.Blocks {
					for f := range b.Each() {
						f.Unshare()
						require.NoError(t, messages.CheckMetricName(f.Name))
						for _, x := range f.Series {
							if err := messages.CheckLabelText(x.AllLabels()); err != nil {
								require.NoError(t, err)
							}
							if len(x.Values) != len(b.Times) {
								require.Len(t, x.Values, len(b.Times))
							}
						}
					}
				}
			}
			require.Equal(t, map[string]messages.Problems{
				"fine": {}, "bad-names": {Rejected: 2, Sanitized: 2}, "newlines": {Rejected: 2}, "duplicates": {Rejected: 1},
				"shapes": {Rejected: 3}, "too-many": {TooMany: tooManyFrames*10_000 - testConfig.MaxAgentSeries},
			}, problems)
			// A name with a newline is one of UTF-8: the page quotes it.
			require.Equal(t, map[string]int{"fine": 1, "bad-names": 2, "newlines": 1, "duplicates": 2, "shapes": 0,
				"too-many": testConfig.MaxAgentSeries}, series)
			require.Equal(t, 1., shown(c)["fine"])
		}
	})
}
