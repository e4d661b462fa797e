package wire

import (
	"math"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestWelcomeFrameSaysAll(t *testing.T) {
	w := Welcome{
		Success:           true,
		Message:           "registered",
		Key:               "6f1c",
		AgentID:           "3b1d",
		HeartbeatInterval: 10 * time.Second,
		Capabilities:      messages.Capabilities{ColumnarAnswers: true, HeartbeatAnswers: true},
		Clock:             time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		EchoedClock:       time.Date(2026, 1, 2, 3, 4, 4, 0, time.UTC),
	}
	require.Equal(t, w, FromWelcome(sent(t, WelcomeFrame(w), &RegisterAgentResponse{})))
	require.Equal(t, Welcome{}, FromWelcome(sent(t, WelcomeFrame(Welcome{}), &RegisterAgentResponse{})))
	require.Equal(t, Welcome{}, FromWelcome(nil))
}

func TestWelcomeIntervalIsWholeSeconds(t *testing.T) {
	f := func(interval time.Duration, want int64) {
		t.Helper()
		require.Equal(t, want, WelcomeFrame(Welcome{HeartbeatInterval: interval}).GetHeartbeatIntervalSeconds())
	}
	f(0, 0)
	f(-time.Millisecond, 0)
	f(time.Nanosecond, 1)
	f(time.Second, 1)
	f(1900*time.Millisecond, 1)
	f(time.Minute, 60)
}

func TestAbsurdIntervalMeansKeepYours(t *testing.T) {
	f := func(seconds int64, want time.Duration) {
		t.Helper()
		require.Equal(t, want, FromWelcome(&RegisterAgentResponse{HeartbeatIntervalSeconds: seconds}).HeartbeatInterval)
	}
	f(0, 0)
	f(1, time.Second)
	f(3600, time.Hour)
	f(3601, 0)
	f(math.MaxInt64, 0)
	f(-1, 0)
	f(math.MinInt64, 0)
}

func TestUselessKeyReadsAsRefusal(t *testing.T) {
	f := func(key string) {
		t.Helper()
		w := FromWelcome(&RegisterAgentResponse{Success: true, Message: "welcome", AgentId: key, PublicAgentId: "a1"})
		require.False(t, w.Success)
		require.Empty(t, w.Key)
		require.Empty(t, w.AgentID)
		require.Contains(t, w.Message, "agent_id")
		require.NotContains(t, w.Message, key, "it is a secret, and the message is logged")
	}
	f("a\nb")
	f("é")
	f("\x7f")
	f(strings.Repeat("x", messages.MaxTextBytes+1))
}

// What an agent shows is never the key, and fits in a line.
func TestUselessPublicIDIsNotShown(t *testing.T) {
	f := func(id string) {
		t.Helper()
		w := FromWelcome(&RegisterAgentResponse{Success: true, AgentId: "key", PublicAgentId: id})
		require.True(t, w.Success)
		require.Equal(t, "key", w.Key)
		require.Empty(t, w.AgentID)
	}
	f("")
	f("key")
	f("a\nb")
	f("é")
	f(strings.Repeat("x", maxPublicIDBytes+1))
}

func TestWelcomeMessageCanBeSentAndIsBounded(t *testing.T) {
	f := func(message, want string) {
		t.Helper()
		require.Equal(t, want, sent(t, WelcomeFrame(Welcome{Message: message}), &RegisterAgentResponse{}).GetMessage())
		require.Equal(t, want, FromWelcome(&RegisterAgentResponse{Message: message}).Message)
	}
	f("node_role \xff", "node_role ?")
	f(strings.Repeat("x", messages.MaxTextBytes+1), strings.Repeat("x", messages.MaxTextBytes))
	f(strings.Repeat("x", messages.MaxTextBytes-1)+"é", strings.Repeat("x", messages.MaxTextBytes-1)+"?")
}
