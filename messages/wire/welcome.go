package wire

import (
	"fmt"
	"time"

	"fodc/messages"
)

// maxHeartbeatInterval is the longest interval that a proxy can mean.
const maxHeartbeatInterval = time.Hour

// Welcome is the proxy's answer to a registration or a heartbeat.
type Welcome struct {
	// Success is false where the registration is refused; Message says why.
	Success bool
	Message string
	// AgentID is the id of the session.
	AgentID string
	// HeartbeatInterval is in whole seconds on the wire; 0 = keep yours.
	HeartbeatInterval time.Duration
	Capabilities      messages.Capabilities
	// Clock is the proxy's; EchoedClock is the agent's, as it came with the frame that
	// this answers. They are zero where they were not sent.
	Clock, EchoedClock time.Time
}

// WelcomeFrame returns the frame. An interval is rounded down, as an agent that
// waits too long counts as lost, but not to 0.
func WelcomeFrame(w Welcome) *RegisterAgentResponse {
	interval := w.HeartbeatInterval
	if interval > 0 {
		interval = max(interval, time.Second)
	}
	return &RegisterAgentResponse{
		Success:                  w.Success,
		Message:                  Clean(w.Message, messages.MaxTextBytes),
		HeartbeatIntervalSeconds: int64(interval / time.Second),
		AgentId:                  w.AgentID,
		Capabilities:             toCapabilities(w.Capabilities),
		Clock:                    toTimestamp(w.Clock),
		EchoedClock:              toTimestamp(w.EchoedClock),
	}
}

// FromWelcome returns what a frame says. An interval below 0 or over an hour is
// taken for 0. An agent id that cannot be sent as metadata makes the session
// useless: it reads as a refusal.
func FromWelcome(f *RegisterAgentResponse) Welcome {
	w := Welcome{
		Success:      f.GetSuccess(),
		Message:      Clean(f.GetMessage(), messages.MaxTextBytes),
		AgentID:      f.GetAgentId(),
		Capabilities: fromCapabilities(f.GetCapabilities()),
		Clock:        fromTimestamp(f.GetClock()),
		EchoedClock:  fromTimestamp(f.GetEchoedClock()),
	}
	if s := f.GetHeartbeatIntervalSeconds(); s > 0 && s <= int64(maxHeartbeatInterval/time.Second) {
		w.HeartbeatInterval = time.Duration(s) * time.Second
	}
	if !isMetadata(w.AgentID) {
		w.Message = fmt.Sprintf("the proxy's agent_id %.100q of %d bytes: up to %d printable ASCII characters are allowed",
			w.AgentID, len(w.AgentID), messages.MaxTextBytes)
		w.Success, w.AgentID = false, ""
	}
	return w
}

// isMetadata reports whether gRPC accepts the text as the value of a metadata key.
func isMetadata(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return len(text) <= messages.MaxTextBytes
}
