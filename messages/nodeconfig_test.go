package messages

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNodeConfigValidate(t *testing.T) {
	f := func(want string, params ...ConfigParam) {
		t.Helper()
		for _, c := range []*NodeConfig{{StartupParams: params}, {RuntimeConfig: params}} {
			err := c.Validate()
			if want == "" {
				require.NoError(t, err)
				continue
			}
			require.Error(t, err)
			require.Contains(t, err.Error(), want)
			require.NotContains(t, err.Error(), "hunter2", "a value may be a secret")
		}
	}
	f("")
	for _, value := range []string{`""`, `"x"`, "1", "-1.5e3", "true", "false", "null", "[]", "{}", `"\u0000"`} {
		f("", ConfigParam{"a", value})
	}
	for _, value := range []string{"", "hunter2", `"hunter2`, "[1]", `{"a":1}`, "[ ]", " 1", "1 ", "\n1", "1 2", "01", "NaN", "\"\xff\"", "1,\"x\":2"} {
		f("no single value of JSON", ConfigParam{"a", value})
	}
	f("empty or not valid UTF-8", ConfigParam{"", `"hunter2"`})
	f("empty or not valid UTF-8", ConfigParam{"\xff", `"hunter2"`})
	f("key of 513 bytes, at most 512", ConfigParam{strings.Repeat("k", MaxConfigKeyBytes+1), `"hunter2"`})
	f("value of 4097 bytes, at most 4096", ConfigParam{"a", `"` + strings.Repeat("v", MaxConfigValueBytes-1) + `"`})
	f("", ConfigParam{"a", `"` + strings.Repeat("v", MaxConfigValueBytes-2) + `"`})
	f(`["a"] is not sorted, or there twice`, ConfigParam{"a", "1"}, ConfigParam{"a", "2"})
	f(`["a"] is not sorted, or there twice`, ConfigParam{"b", "1"}, ConfigParam{"a", "2"})
	many, heavy := []ConfigParam{}, []ConfigParam{}
	for i := range MaxConfigParams + 1 {
		many = append(many, ConfigParam{strconv.Itoa(10_000 + i), "1"})
	}
	for i := range MaxConfigBytes/MaxConfigValueBytes + 1 {
		heavy = append(heavy, ConfigParam{strconv.Itoa(10_000 + i), `"` + strings.Repeat("v", MaxConfigValueBytes-2) + `"`})
	}
	f("are 1025, at most 1024 are allowed", many...)
	f("bytes, at most 65536 are allowed", heavy...)

	notes := func(want string, notes ...string) {
		t.Helper()
		for _, c := range []*NodeConfig{{Sources: notes}, {Errors: notes}} {
			require.ErrorContains(t, c.Validate(), want)
		}
	}
	notes("are 65, at most 64 are allowed", make([]string, MaxConfigNotes+1)...)
	notes("[0] has 1025 bytes", strings.Repeat("x", MaxConfigNoteBytes+1))
	notes("not valid UTF-8", "\xff")
}

func TestKeepKnown(t *testing.T) {
	a, b := []ConfigParam{{"a", "1"}}, []ConfigParam{{"b", "2"}}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	known := &NodeConfig{CollectedAt: at, StartupParams: a, RuntimeConfig: b, Errors: []string{"old"}}
	f := func(sent, want *NodeConfig) {
		t.Helper()
		before := *sent
		require.Equal(t, want, sent.KeepKnown(known))
		require.Equal(t, before, *sent, "what was sent stays as it is")
	}
	f(&NodeConfig{StartupParams: b}, &NodeConfig{StartupParams: b}) // it has no errors: so it is empty
	f(&NodeConfig{StartupParams: b, RuntimeConfig: a, Errors: []string{"e"}}, &NodeConfig{StartupParams: b, RuntimeConfig: a, Errors: []string{"e"}})
	f(&NodeConfig{RuntimeConfig: a, Errors: []string{"e"}}, &NodeConfig{CollectedAt: at, StartupParams: a, RuntimeConfig: a,
		Errors: []string{"e", "startup_params is what was collected at 2026-01-02T03:04:05Z"}})
	f(&NodeConfig{CollectedAt: at.Add(time.Hour), Errors: []string{"e"}}, &NodeConfig{CollectedAt: at, StartupParams: a, RuntimeConfig: b, Errors: []string{"e",
		"startup_params is what was collected at 2026-01-02T03:04:05Z", "runtime_config is what was collected at 2026-01-02T03:04:05Z"}})
	sent := &NodeConfig{Errors: []string{"e"}}
	require.Same(t, sent, sent.KeepKnown(nil))
	require.Equal(t, sent, sent.KeepKnown(&NodeConfig{}))
}

// What is kept again and again, of a node that stays dead, does not grow.
func TestKeepKnownDoesNotGrow(t *testing.T) {
	known := &NodeConfig{StartupParams: []ConfigParam{{"a", "1"}}}
	first := (&NodeConfig{CollectedAt: time.Unix(1, 0), Errors: []string{"e"}}).KeepKnown(known)
	second := (&NodeConfig{CollectedAt: time.Unix(2, 0), Errors: []string{"e"}}).KeepKnown(first)
	require.Equal(t, first, second)
}
