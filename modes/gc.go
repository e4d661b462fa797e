package modes

import (
	"os"
	"runtime/debug"
)

// agentGCPercent keeps the agent small: its heap is a window of packed metrics, of
// which little is garbage, so that collecting early costs little.
const agentGCPercent = 25

// tuneAgentGC sets how eagerly garbage is collected, unless GOGC does.
func tuneAgentGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(agentGCPercent)
	}
}
