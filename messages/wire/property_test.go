package wire

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestColumnarRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Answer{RequestID: rapid.Uint64().Draw(t, "id"), More: rapid.Bool().Draw(t, "more"), Blocks: drawBlocks(t)}
		got := FromAnswer(sent(t, AnswerFrame(a), &StreamMetricsRequest{}), testNow)
		require.NoError(t, got.FirstRejected)
		require.Zero(t, got.Rejected)
		require.Equal(t, dump(a.Blocks), dump(got.Blocks))
		require.Equal(t, a.RequestID, got.RequestID)
		require.Equal(t, a.More, got.More)
	})
}

// In baseline form the samples are the same; how they are put into blocks is not.
func TestBaselineRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blocks := drawBlocks(t)
		f, _ := baselineFrame(blocks, testNow, math.MaxInt32)
		got := FromAnswer(sent(t, f, &StreamMetricsRequest{}), testNow)
		want, once := sortedSamples(blocks), map[string]bool{}
		if got.Rejected == 0 {
			require.Equal(t, want, sortedSamples(got.Blocks))
		}
		for _, s := range want {
			key := s[:strings.LastIndex(s, "=>")]
			once[key] = true
		}
		require.Equal(t, len(want)-len(once), got.Rejected, "only series that are there twice are left out")
	})
}

// sortedSamples lists type, name, labels, time and value of all samples.
func sortedSamples(blocks []messages.Block) []string {
	var list []string
	for _, b := range blocks {
		for _, f := range b.Families {
			for _, s := range f.Series {
				for i, v := range s.Values {
					if !messages.IsGap(v) {
						list = append(list, fmt.Sprintf("%d %q %q %d =>%s", f.Type, f.Name+s.Suffix.String(), s.Labels, b.Times[i], dumpValue(v)))
					}
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

func drawParams(t *rapid.T) []messages.ConfigParam {
	value := rapid.SampledFrom([]string{`""`, `"x"`, "1", "-1e3", "true", "null", "[]", "{}"})
	drawn := drawMap(t, "parameters", value)
	var params []messages.ConfigParam
	for _, key := range slices.Sorted(maps.Keys(drawn)) {
		if key != "" {
			params = append(params, messages.ConfigParam{Key: key, Value: drawn[key]})
		}
	}
	return params
}

func TestRegistrationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, port := rapid.String(), rapid.Int32()
		r := messages.Registration{
			NodeID:         text.Draw(t, "node id"),
			Role:           text.Draw(t, "role"),
			PodName:        text.Draw(t, "pod name"),
			Labels:         drawMap(t, "labels", rapid.StringN(1, -1, -1)),
			ContainerNames: orNil(rapid.SliceOfN(text, 0, 3).Draw(t, "containers")),
			Primary:        messages.Address{IP: text.Draw(t, "ip"), Port: port.Draw(t, "port")},
			Secondary: drawMap(t, "secondary", rapid.Custom(func(t *rapid.T) messages.Address {
				return messages.Address{IP: text.Draw(t, "ip"), Port: port.Draw(t, "port")}
			})),
			AgentVersion: text.Draw(t, "version"),
			Capabilities: drawCapabilities(t),
			Clock:        drawTime(t, "clock"),
		}
		if rapid.Bool().Draw(t, "has runtime") {
			r.Runtime = &messages.Runtime{Load: rapid.Float64Range(0, math.MaxFloat64).Draw(t, "load"),
				Health: rapid.SampledFrom([]string{messages.HealthHealthy, messages.HealthDegraded, messages.HealthUnreachable, ""}).Draw(t, "health")}
		}
		if rapid.Bool().Draw(t, "has timing") {
			r.Timing = &messages.Timing{RoundTrip: time.Duration(rapid.Int64Range(0, int64(maxRoundTrip)).Draw(t, "round trip")),
				ClockOffset: time.Duration(rapid.Int64().Draw(t, "offset"))}
		}
		if rapid.Bool().Draw(t, "has configuration") {
			r.Config = &messages.NodeConfig{CollectedAt: drawTime(t, "collected"), StartupParams: drawParams(t), RuntimeConfig: drawParams(t),
				Sources: orNil(rapid.SliceOfN(text, 0, 3).Draw(t, "sources")), Errors: orNil(rapid.SliceOfN(text, 0, 3).Draw(t, "errors"))}
		}
		require.Equal(t, r, FromRegistration(sent(t, RegistrationFrame(r), &RegisterAgentRequest{})))
	})
}

func TestWelcomeAndRequestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Welcome{
			Success:           rapid.Bool().Draw(t, "success"),
			Message:           rapid.StringN(0, 100, -1).Draw(t, "message"),
			Key:               rapid.StringMatching("[ -~]*").Draw(t, "key"),
			AgentID:           rapid.StringMatching("|public [ -~]{0,100}").Draw(t, "agent id"),
			HeartbeatInterval: time.Duration(rapid.IntRange(0, 3600).Draw(t, "seconds")) * time.Second,
			Capabilities:      drawCapabilities(t),
			Clock:             drawTime(t, "clock"),
			EchoedClock:       drawTime(t, "echoed clock"),
		}
		if w.AgentID == w.Key {
			w.AgentID = "" // it is not shown
		}
		require.Equal(t, w, FromWelcome(sent(t, WelcomeFrame(w), &RegisterAgentResponse{})))

		r := Request{
			ID: rapid.Uint64().Draw(t, "id"),
			Selection: messages.Selection{
				Window: messages.Window{Start: drawTime(t, "start"), End: drawTime(t, "end")},
				Names:  orNil(rapid.SliceOfN(drawName(), 0, 3).Draw(t, "names")),

				ScrapeTimes: rapid.Bool().Draw(t, "scrape times"),
				SeriesOnly:  rapid.Bool().Draw(t, "series only"),
			},
			TimeLeft: time.Duration(rapid.Int64Min(0).Draw(t, "time left")),
			Columnar: rapid.Bool().Draw(t, "columnar"),
		}
		got, err := FromRequest(sent(t, RequestFrame(r), &StreamMetricsResponse{}))
		require.NoError(t, err)
		require.Equal(t, r, got)
	})
}

func drawBlocks(t *rapid.T) []messages.Block {
	return orNil(rapid.SliceOfN(rapid.Custom(drawBlock), 0, 4).Draw(t, "blocks"))
}

func drawBlock(t *rapid.T) messages.Block {
	// Few close times, so that blocks have some in common.
	b := messages.Block{Times: []int64{rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(minTime, maxTime/2)).Draw(t, "time")}}
	for range rapid.IntRange(0, 3).Draw(t, "more times") {
		step := rapid.OneOf(rapid.Int64Range(1, 3), rapid.Int64Range(1, maxTime/8)).Draw(t, "step")
		b.Times = append(b.Times, b.Times[len(b.Times)-1]+step)
	}
	b.Target = rapid.SampledFrom([]string{"", "", "agent", "http://node/ü"}).Draw(t, "target")
	if b.Target != "" && rapid.Bool().Draw(t, "times only") {
		return b
	}
	b.Families = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) messages.Family { return drawFamily(t, len(b.Times)) }), 1, 3).Draw(t, "families")
	return b
}

func drawFamily(t *rapid.T, times int) messages.Family {
	f := messages.Family{
		Name: drawName().Draw(t, "name"),
		Type: rapid.SampledFrom([]messages.MetricType{messages.TypeUnknown, messages.TypeGauge, messages.TypeCounter,
			messages.TypeHistogram, messages.TypeSummary, messages.TypeUntyped}).Draw(t, "type"),
		Help: rapid.StringN(0, 20, -1).Draw(t, "help"),
	}
	suffixes := []messages.Suffix{messages.SuffixNone}
	for s := messages.SuffixBucket; s <= messages.SuffixCount; s++ {
		if f.Type.Has(s) {
			suffixes = append(suffixes, s)
		}
	}
	f.Series = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) messages.Series {
		var labels []messages.Label
		for name, value := range drawMap(t, "labels", rapid.String()) {
			labels = append(labels, messages.Label{Name: "l" + name, Value: value})
		}
		return messages.Series{
			Suffix: rapid.SampledFrom(suffixes).Draw(t, "suffix"),
			Labels: messages.RenderLabels(without0(labels)),
			Values: rapid.SliceOfN(drawValue(), times, times).Draw(t, "values"),
		}
	}), 1, 4).Draw(t, "series")
	return f
}

// without0 drops the labels whose names hold a NUL, which none may.
func without0(labels []messages.Label) []messages.Label {
	var kept []messages.Label
	for _, l := range labels {
		if messages.CheckLabelName(l.Name) == nil {
			kept = append(kept, l)
		}
	}
	return kept
}

func drawName() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom([]string{"a", "a_count", "b_sum", "a_bucket", "_sum"}),
		rapid.StringMatching(`[a-zA-Z_:.é][a-zA-Z0-9_:.é]{0,8}`))
}

func drawValue() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.Float64(), rapid.Map(rapid.Uint64(), math.Float64frombits),
		rapid.SampledFrom([]float64{0, math.Copysign(0, -1), messages.Gap, math.NaN(), math.Inf(1)}))
}

func drawMap[T any](t *rapid.T, label string, values *rapid.Generator[T]) map[string]T {
	m := rapid.MapOfN(rapid.StringN(0, 8, -1), values, 0, 3).Draw(t, label)
	if len(m) == 0 {
		return nil
	}
	return m
}

func drawCapabilities(t *rapid.T) messages.Capabilities {
	return messages.Capabilities{ColumnarAnswers: rapid.Bool().Draw(t, "columnar"), HeartbeatAnswers: rapid.Bool().Draw(t, "heartbeats"),
		Dictionary: rapid.Bool().Draw(t, "dictionary"), StreamAnswers: rapid.Bool().Draw(t, "stream answers")}
}

func drawTime(t *rapid.T, label string) time.Time {
	if rapid.Bool().Draw(t, "no "+label) {
		return time.Time{}
	}
	return time.Unix(rapid.Int64Range(minTime/1000, maxTime/1000).Draw(t, label), rapid.Int64Range(1, 999_999_999).Draw(t, "ns")).UTC()
}

func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}
