package wire

import (
	"errors"
	"math"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

func addFrames(f *testing.F, frames ...proto.Message) {
	for _, frame := range frames {
		b, err := proto.Marshal(frame)
		require.NoError(f, err)
		f.Add(b)
	}
}

// Whatever a peer sends, what is left of it can be shown as it is, and sent on.
func FuzzFromAnswer(f *testing.F) {
	whole, _ := baselineFrame(windowBlocks(), testNow, roomy)
	b, family := oneFamily()
	addFrames(f, &StreamMetricsRequest{}, whole, AnswerFrame(Answer{RequestID: 1, Blocks: windowBlocks(), More: true}),
		AnswerFrame(Answer{Error: "busy"}), &StreamMetricsRequest{Blocks: []*Block{b}, Metrics: whole.GetMetrics()},
		AnswerFrame(Answer{RequestID: 1, Blocks: []messages.Block{{Target: "agent", Times: []int64{1, 2}}, {Target: "host", Times: []int64{2}}}}),
		&StreamMetricsRequest{Blocks: []*Block{{Target: "t"}, {TimeDeltas: []int64{1}}, {Target: strings.Repeat("t", messages.MaxTargetBytes+1), TimeDeltas: []int64{1}}}},
		&StreamMetricsRequest{Metrics: []*Metric{metric(9, "a", 1), metric(summary, "s_count", 1, "", "v", "quantile", "1")}},
		&StreamMetricsRequest{Blocks: []*Block{{TimeDeltas: []int64{math.MaxInt64, math.MinInt64}, Families: []*Family{family}}}})
	f.Fuzz(func(t *testing.T, frame []byte) {
		var m StreamMetricsRequest
		if proto.Unmarshal(frame, &m) != nil {
			return
		}
		a := FromAnswer(&m, testNow)
		requireValid(t, a.Blocks)
		require.Equal(t, a.Rejected > 0, a.FirstRejected != nil)
		require.LessOrEqual(t, len(a.Error), messages.MaxTextBytes)

		again := FromAnswer(sent(t, AnswerFrame(a), &StreamMetricsRequest{}), testNow)
		require.Equal(t, dump(a.Blocks), dump(again.Blocks))
		require.Zero(t, again.Rejected)

		cut, left := baselineFrame(a.Blocks, testNow, len(frame))
		require.LessOrEqual(t, proto.Size(cut), len(frame))
		require.Equal(t, countSamples(a.Blocks), len(cut.GetMetrics())+left)
	})
}

// Whatever an agent says of itself, it is refused with a reason or has a name.
func FuzzFromRegistration(f *testing.F) {
	addFrames(f, &RegisterAgentRequest{},
		RegistrationFrame(messages.Registration{NodeID: "n1", Role: "liaison", Labels: map[string]string{"a": "b"},
			Primary: messages.Address{IP: "::1", Port: 1}, Secondary: map[string]messages.Address{"m": {IP: "a.b", Port: 2}},
			Clock: testNow, Runtime: &messages.Runtime{Health: messages.HealthHealthy}, ContainerNames: []string{"c"},
			Config: &messages.NodeConfig{CollectedAt: testNow, StartupParams: []messages.ConfigParam{{Key: "--a", Value: "1"}}, Errors: []string{"e"}}}),
		&RegisterAgentRequest{Configuration: &NodeConfiguration{RuntimeConfig: []*ConfigParameter{nil, {Key: "a", Value: "{"}}}},
		&RegisterAgentRequest{NodeRole: "x", PodName: "p", Runtime: &NodeRuntime{Load: math.NaN()}, Capabilities: []Capability{7, 1}})
	f.Fuzz(func(t *testing.T, frame []byte) {
		var m RegisterAgentRequest
		if proto.Unmarshal(frame, &m) != nil {
			return
		}
		r := FromRegistration(&m)
		if len(r.Labels) == 0 {
			r.Labels = nil // the decoder makes an empty map of a field of the wrong kind
		}
		require.Equal(t, r, FromRegistration(sent(t, RegistrationFrame(r), &RegisterAgentRequest{})))
		if err := r.Validate(); err != nil {
			var said *messages.Error
			require.True(t, errors.As(err, &said))
			require.Equal(t, messages.ErrBadData, said.Kind)
			require.NotEmpty(t, said.Text)
			return
		}
		require.NotEmpty(t, r.Identity().NodeID)
		if r.Config != nil {
			require.NoError(t, r.Config.Validate())
		}
	})
}

func FuzzFromRequest(f *testing.F) {
	addFrames(f, &StreamMetricsResponse{}, RequestFrame(Request{ID: 1, Columnar: true, TimeLeft: 1,
		Selection: messages.Selection{Window: messages.Window{Start: testNow, End: testNow}, Names: []string{"up"}, ScrapeTimes: true, SeriesOnly: true}}))
	f.Fuzz(func(t *testing.T, frame []byte) {
		var m StreamMetricsResponse
		if proto.Unmarshal(frame, &m) != nil {
			return
		}
		r, err := FromRequest(&m)
		require.Equal(t, m.GetRequestId(), r.ID)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, r.TimeLeft.Nanoseconds(), int64(0))
		again, err := FromRequest(sent(t, RequestFrame(r), &StreamMetricsResponse{}))
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}
