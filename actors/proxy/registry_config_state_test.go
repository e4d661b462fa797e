package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// hugeConfig is a configuration that is as large as one may be.
func hugeConfig() *messages.NodeConfig {
	var params []messages.ConfigParam
	for i := range messages.MaxConfigBytes / messages.MaxConfigValueBytes {
		params = append(params, messages.ConfigParam{Key: fmt.Sprintf("p%02d", i), Value: `"` + strings.Repeat("x", messages.MaxConfigValueBytes-5) + `"`})
	}
	note := strings.Repeat("x", messages.MaxConfigNoteBytes)
	notes := make([]string, messages.MaxConfigNotes)
	for i := range notes {
		notes[i] = note
	}
	return &messages.NodeConfig{CollectedAt: time.Unix(1, 0).UTC(), StartupParams: params, RuntimeConfig: params, Sources: notes, Errors: notes}
}

// The configurations of all nodes together are bounded. One that does not fit is replaced by a
// note, and stored when it fits again.
func TestConfigurationsAreBounded(t *testing.T) {
	huge := hugeConfig()
	require.NoError(t, huge.Validate())
	fit := maxConfigsBytes / huge.MemoryBytes()
	s := newRegistryState(RegistryLimits{HeartbeatTimeout: time.Hour, CleanupTimeout: time.Hour, MaxAgents: 2 * fit})
	now := time.Unix(0, 0)
	node := func(i int) messages.Registration {
		return messages.Registration{NodeID: fmt.Sprintf("n%04d", i), Role: "liaison", Config: huge}
	}
	for i := range 2 * fit {
		_, err := s.admit(node(i), fmt.Sprintf("a%d", i), messages.Address{}, verifiedPeer{}, now)
		require.NoError(t, err)
	}
	used := func() (bytes int) {
		for _, c := range s.configs(messages.NodeFilter{}, now) {
			bytes += c.Config.MemoryBytes()
		}
		return bytes
	}
	kept := func(i int) *messages.NodeConfig {
		return s.configs(messages.NodeFilter{NodeIDs: []string{node(i).NodeID}}, now)[0].Config
	}
	require.LessOrEqual(t, used(), maxConfigsBytes+2*fit*messages.MaxConfigNoteBytes)
	require.Equal(t, huge, kept(0))
	rejected := kept(2*fit - 1)
	require.Empty(t, rejected.StartupParams)
	require.Equal(t, huge.CollectedAt, rejected.CollectedAt)
	require.Len(t, rejected.Errors, 1)
	require.Contains(t, rejected.Errors[0], "at most 67108864 are allowed")

	s.heartbeat("a0", node(0), now) // its own does not count against it
	require.Equal(t, huge.StartupParams, kept(0).StartupParams)
	s.ended("a1", true, "goodbye", now)
	last := 2*fit - 1
	s.heartbeat(fmt.Sprintf("a%d", last), node(last), now)
	require.Equal(t, huge.StartupParams, kept(last).StartupParams)
}

// The small configuration of a node is stored although those of others fill the limit.
func TestSmallConfigurationsAreAlwaysStored(t *testing.T) {
	huge := hugeConfig()
	fit := maxConfigsBytes / huge.MemoryBytes()
	s := newRegistryState(RegistryLimits{HeartbeatTimeout: time.Hour, CleanupTimeout: time.Hour, MaxAgents: 1000})
	now := time.Unix(0, 0)
	admit := func(id string, config *messages.NodeConfig) *messages.NodeConfig {
		_, err := s.admit(messages.Registration{NodeID: id, Role: "liaison", Config: config}, id, messages.Address{}, verifiedPeer{}, now)
		require.NoError(t, err)
		return s.configs(messages.NodeFilter{NodeIDs: []string{id}}, now)[0].Config
	}
	for i := range fit + 100 {
		admit(fmt.Sprintf("stranger-%d", i), huge)
	}
	require.Empty(t, admit("another", huge).StartupParams, "the limit is reached")
	small := &messages.NodeConfig{StartupParams: []messages.ConfigParam{{Key: "p", Value: `"` + strings.Repeat("x", 4000) + `"`}}}
	require.Equal(t, small, admit("n1", small))
	require.LessOrEqual(t, s.configsBytes, 2*maxConfigsBytes)
}
