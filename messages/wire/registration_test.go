package wire

import (
	"math"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestRegistrationFrameSaysAll(t *testing.T) {
	r := messages.Registration{
		NodeID:         "n1",
		Role:           "liaison",
		PodName:        "p1",
		Labels:         map[string]string{"zone": "a"},
		ContainerNames: []string{"c1", "c2"},
		Primary:        messages.Address{IP: "::1", Port: 17912},
		Secondary:      map[string]messages.Address{"metrics": {IP: "10.0.0.1", Port: 2121}},
		AgentVersion:   "1.2.3",
		Capabilities:   messages.Capabilities{ColumnarAnswers: true, HeartbeatAnswers: true},
		Clock:          time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		Runtime:        &messages.Runtime{Load: 0.5, Health: messages.HealthDegraded},
		Timing:         &messages.Timing{RoundTrip: 3 * time.Millisecond, ClockOffset: -2 * time.Second},
		Config: &messages.NodeConfig{CollectedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			StartupParams: []messages.ConfigParam{{Key: "--a", Value: `"b"`}, {Key: "--c", Value: `"***"`}},
			RuntimeConfig: []messages.ConfigParam{{Key: "x.y", Value: "1000"}},
			Sources:       []string{"file x"}, Errors: []string{"file y"}},
	}
	require.Equal(t, r, FromRegistration(sent(t, RegistrationFrame(r), &RegisterAgentRequest{})))
}

func TestRegistrationFrameLeavesOutWhatIsUnknown(t *testing.T) {
	f := RegistrationFrame(messages.Registration{Role: "liaison"})
	require.Nil(t, f.PrimaryAddress)
	require.Nil(t, f.Clock)
	require.Nil(t, f.Runtime)
	require.Nil(t, f.RoundTrip)
	require.Nil(t, f.ClockOffset)
	require.Nil(t, f.Configuration)
	require.Empty(t, f.Capabilities)
	require.Equal(t, messages.Registration{Role: "liaison"}, FromRegistration(sent(t, f, &RegisterAgentRequest{})))
}

func TestFromRegistrationIsTotal(t *testing.T) {
	f := func(frame *RegisterAgentRequest, want messages.Registration) {
		t.Helper()
		require.Equal(t, want, FromRegistration(frame))
	}
	f(nil, messages.Registration{})
	f(&RegisterAgentRequest{PrimaryAddress: &Address{}}, messages.Registration{})
	f(&RegisterAgentRequest{SecondaryAddresses: map[string]*Address{"a": nil}},
		messages.Registration{Secondary: map[string]messages.Address{"a": {}}})
	f(&RegisterAgentRequest{Clock: &timestamppb.Timestamp{Seconds: math.MaxInt64}}, messages.Registration{})
	f(&RegisterAgentRequest{Clock: &timestamppb.Timestamp{Nanos: -1}}, messages.Registration{})
	f(&RegisterAgentRequest{Clock: &timestamppb.Timestamp{}}, messages.Registration{Clock: time.Unix(0, 0).UTC()})
	f(&RegisterAgentRequest{Capabilities: []Capability{99, 0, -1, Capability_CAPABILITY_HEARTBEAT_ANSWERS}},
		messages.Registration{Capabilities: messages.Capabilities{HeartbeatAnswers: true}})
	f(&RegisterAgentRequest{Labels: map[string]string{"a": "1", "b": ""}}, messages.Registration{Labels: map[string]string{"a": "1"}})

	// JSON has no NaN: one agent's would empty the whole picture of the cluster.
	f(&RegisterAgentRequest{Runtime: &NodeRuntime{Load: math.NaN(), Health: "healthy"}}, messages.Registration{})
	f(&RegisterAgentRequest{Runtime: &NodeRuntime{Load: math.Inf(1), Health: "healthy"}}, messages.Registration{})
	f(&RegisterAgentRequest{Runtime: &NodeRuntime{Load: -1, Health: "healthy"}}, messages.Registration{})
	f(&RegisterAgentRequest{Runtime: &NodeRuntime{Load: 1, Health: "so so"}}, messages.Registration{})
	f(&RegisterAgentRequest{Runtime: &NodeRuntime{Load: 1}}, messages.Registration{Runtime: &messages.Runtime{Load: 1}})

	second := durationpb.New(time.Second)
	f(&RegisterAgentRequest{RoundTrip: second}, messages.Registration{})
	f(&RegisterAgentRequest{ClockOffset: second}, messages.Registration{})
	f(&RegisterAgentRequest{RoundTrip: durationpb.New(-1), ClockOffset: second}, messages.Registration{})
	f(&RegisterAgentRequest{RoundTrip: durationpb.New(maxRoundTrip + 1), ClockOffset: second}, messages.Registration{})
	f(&RegisterAgentRequest{RoundTrip: &durationpb.Duration{Nanos: math.MaxInt32}, ClockOffset: second}, messages.Registration{})
	f(&RegisterAgentRequest{RoundTrip: second, ClockOffset: &durationpb.Duration{Seconds: 1, Nanos: -1}}, messages.Registration{})
	f(&RegisterAgentRequest{RoundTrip: &durationpb.Duration{}, ClockOffset: second},
		messages.Registration{Timing: &messages.Timing{ClockOffset: time.Second}})
}
