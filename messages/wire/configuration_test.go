package wire

import (
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// A configuration that cannot be shown is told instead of it, and is no reason to
// refuse the agent.
func TestFromConfigurationIsTotal(t *testing.T) {
	f := func(frame *NodeConfiguration, want string) {
		t.Helper()
		r := FromRegistration(&RegisterAgentRequest{NodeRole: "r", NodeId: "n", Configuration: frame})
		require.NoError(t, r.Validate())
		require.NoError(t, r.Config.Validate())
		require.Empty(t, r.Config.StartupParams)
		require.Empty(t, r.Config.RuntimeConfig)
		require.Len(t, r.Config.Errors, 1)
		require.Contains(t, r.Config.Errors[0], "the agent sent a configuration that cannot be taken: "+want)
	}
	parameter := func(key, value string) []*ConfigParameter { return []*ConfigParameter{{Key: key, Value: value}} }
	f(&NodeConfiguration{StartupParams: parameter("a", `1,"b":2`)}, `startup_params["a"] has a value that is no single value of JSON`)
	f(&NodeConfiguration{RuntimeConfig: parameter("", `1`)}, "runtime_config[0] has a key that is empty")
	f(&NodeConfiguration{RuntimeConfig: make([]*ConfigParameter, 5000)}, "runtime_config are 1025, at most 1024 are allowed")
	f(&NodeConfiguration{RuntimeConfig: parameter(strings.Repeat("\"", 4<<10), `1`)}, "runtime_config[")
	f(&NodeConfiguration{Sources: make([]string, 100)}, "sources are 100")
	require.Equal(t, &messages.NodeConfig{}, FromRegistration(&RegisterAgentRequest{Configuration: &NodeConfiguration{}}).Config)
}

// The numbers of the wire contract.
func TestConfigurationNumbers(t *testing.T) {
	parameter := func(key, value string) raw { return raw{}.text(1, key).text(2, value) }
	frame := raw{}.text(1, "r").message(108, raw{}.message(1, rawTime(5, 0)).message(2, parameter("--a", `"b"`).later()).
		message(3, parameter("c", "1")).text(4, "s").text(5, "e").later())
	var m RegisterAgentRequest
	require.NoError(t, proto.Unmarshal(frame, &m))
	require.Equal(t, &messages.NodeConfig{CollectedAt: time.Unix(5, 0).UTC(),
		StartupParams: []messages.ConfigParam{{Key: "--a", Value: `"b"`}}, RuntimeConfig: []messages.ConfigParam{{Key: "c", Value: "1"}},
		Sources: []string{"s"}, Errors: []string{"e"}}, FromRegistration(&m).Config)
}
