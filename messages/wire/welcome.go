package wire

import (
	"fmt"
	"time"

	"fodc/messages"
)

// maxHeartbeatInterval bounds the interval that a proxy may announce.
const maxHeartbeatInterval = time.Hour

// maxPublicIDBytes bounds a session's public id; a UUID has 36.
const maxPublicIDBytes = 128

// Welcome is the proxy's answer to a registration or a heartbeat.
type Welcome struct {
	// Success is false if the registration is refused. Message says why.
	Success bool
	Message string
	// Key is the session's secret key, the agent_id of the contract: the session's further
	// streams carry it. It is never shown or logged.
	Key string
	// AgentID is the public id of the session. It is empty where the proxy sends none, as
	// those of the baseline do.
	AgentID string
	// HeartbeatInterval is in whole seconds on the wire. 0 means that the agent keeps its own.
	HeartbeatInterval time.Duration
	Capabilities      messages.Capabilities
	// Clock is the proxy's clock. EchoedClock is the agent's, copied from the frame that this
	// answers. Both are zero if they were not sent.
	Clock, EchoedClock time.Time
}

// WelcomeFrame returns the frame. The interval is rounded down, because an agent that waits too
// long counts as lost, but to a second at least.
func WelcomeFrame(w Welcome) *RegisterAgentResponse {
	interval := w.HeartbeatInterval
	if interval > 0 {
		interval = max(interval, time.Second)
	}
	return &RegisterAgentResponse{
		Success:                  w.Success,
		Message:                  Clean(w.Message, messages.MaxTextBytes),
		HeartbeatIntervalSeconds: int64(interval / time.Second),
		AgentId:                  w.Key,
		PublicAgentId:            w.AgentID,
		Capabilities:             toCapabilities(w.Capabilities),
		Clock:                    toTimestamp(w.Clock),
		EchoedClock:              toTimestamp(w.EchoedClock),
	}
}

// FromWelcome returns what a frame says. An interval below 0 or above an hour is read as 0. A
// key that gRPC cannot send as metadata is read as a refusal: no stream could attach. A public
// id that is the key, or cannot be shown, counts as not sent.
func FromWelcome(f *RegisterAgentResponse) Welcome {
	w := Welcome{
		Success:      f.GetSuccess(),
		Message:      Clean(f.GetMessage(), messages.MaxTextBytes),
		Key:          f.GetAgentId(),
		AgentID:      f.GetPublicAgentId(),
		Capabilities: fromCapabilities(f.GetCapabilities()),
		Clock:        fromTimestamp(f.GetClock()),
		EchoedClock:  fromTimestamp(f.GetEchoedClock()),
	}
	if s := f.GetHeartbeatIntervalSeconds(); s > 0 && s <= int64(maxHeartbeatInterval/time.Second) {
		w.HeartbeatInterval = time.Duration(s) * time.Second
	}
	if w.AgentID == w.Key || len(w.AgentID) > maxPublicIDBytes || !isMetadata(w.AgentID) {
		w.AgentID = ""
	}
	if !isMetadata(w.Key) {
		// The text itself stays out of the message, which is logged.
		w.Message = fmt.Sprintf("the proxy's agent_id of %d bytes cannot be sent as metadata: up to %d printable ASCII characters are allowed",
			len(w.Key), messages.MaxTextBytes)
		w.Success, w.Key, w.AgentID = false, "", ""
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
