package agent

import (
	"fmt"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"
)

// Every event in every state of a link, late and double ones and those of other
// generations. The uplink that lives is 2, a former one 1, one that never was 3.
func TestLinkMatrix(t *testing.T) {
	actorstest.RunMatrix(t, "testdata/matrix/link.txt", actorstest.Matrix{
		Describe: "phase",
		States: []string{
			"new:",
			"connecting: start; ends 1 refused; due",
			"connecting, and its uplink is over: start; ends 1 refused; due; over 2 refused",
			"connected: start; ends 1 refused; due; registered 2; wait 2m",
			"connected, and its uplink is over: start; ends 1 refused; due; registered 2; wait 2m; over 2 lost",
			"connected again after a short session: start; registered 1; wait 1s; ends 1 lost; registered 2",
			"waiting: start; ends 1 refused; due; ends 2 refused",
			"leaving: start; ends 1 refused; due; registered 2; disconnect",
			"leaving, and its uplink is over: start; ends 1 refused; due; registered 2; disconnect; over 2 disconnected",
			"over: start; ends 1 refused; due; registered 2; disconnect; ends 2 disconnected",
		},
		Events: []string{"start", "registered 1", "registered 2", "registered 3", "over 1 why", "over 2 why",
			"over 2 going-down why", "over 3 why", "gone 1", "gone 2", "gone 3", "ends 2 going-down why", "ends 2 pings why",
			"due", "disconnect"},
	}, func() actorstest.Script { return phasedLink{newLinkMachine()} })
}

// phasedLink prints its phase.
type phasedLink struct{ *linkMachine }

func (m phasedLink) Do(command string, args []string) string {
	if command != "phase" {
		return m.linkMachine.Do(command, args)
	}
	names := [...]string{linkNew: "new", linkConnecting: "connecting", linkConnected: "connected", linkWaiting: "waiting",
		linkLeaving: "leaving", linkOver: "over"}
	return fmt.Sprintf("%s, uplink %d", names[m.state.phase], m.state.generation)
}

// Every event in every state of an uplink. Its registration stream is 1, its metrics
// stream 2; 3 is the next one, and 9 never was.
func TestUplinkMatrix(t *testing.T) {
	actorstest.RunMatrix(t, "testdata/matrix/uplink.txt", actorstest.Matrix{
		Describe: "phase",
		States: []string{
			"connecting:",
			"live, and its metrics stream is being opened: connected answers",
			"live: connected answers; opened 2",
			"live, and a heartbeat waits for the recorder: connected answers; opened 2; heartbeat-due",
			"live, and a heartbeat waits for its answer: connected answers; opened 2; heartbeat-due; health; wait 30s",
			"live, with a proxy that answers no heartbeats: connected; opened 2; heartbeat-due; health; wait 30s",
			"live, and its metrics stream is broken: connected answers; opened 2; closed 2 broken why; ended writer 2",
			"leaving: connected answers; opened 2; goodbye",
			"leaving, and its metrics stream is being opened: connected answers; goodbye",
			"closing: connected answers; opened 2; end why",
			"closing before it connected: end why",
			"over: connected answers; opened 2; end why; close-due",
		},
		Events: []string{"connected", "connect-failed why", "heartbeat-due", "health", "answered 5s", "answered 0s refused", "echoed 30s",
			"unanswered-due", "opened 3", "not-opened broken why", "not-opened unknown-session why", "not-opened unserved why",
			"used", "closed 1 broken why", "closed 2 broken why", "closed 2 unknown-session why", "closed 2 unserved why",
			"closed 9 broken why", "ended writer 1", "ended writer 9", "ended connection", "retry-due", "close-due", "goodbye", "end why"},
	}, func() actorstest.Script {
		return phasedUplink{&uplinkMachine{state: newUplinkState(10*time.Second, messages.StreamMetrics)}}
	})
}

// phasedUplink prints its phase, and what is open.
type phasedUplink struct{ *uplinkMachine }

func (m phasedUplink) Do(command string, args []string) string {
	if command != "phase" {
		return m.uplinkMachine.Do(command, args)
	}
	names := [...]string{uplinkConnecting: "connecting", uplinkLive: "live", uplinkLeaving: "leaving", uplinkClosing: "closing",
		uplinkOver: "over"}
	return names[m.state.phase] + ", " + m.uplinkMachine.Do("open", nil)
}
