package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"
)

// Every event in every state of a node in the registry. The newest session is a2, a
// former one a1; a9 never was.
func TestRegistryMatrix(t *testing.T) {
	const two = "admit id=n1 role=liaison addr=10.0.0.1:1; ended a1 lost; admit id=n1 role=liaison addr=10.0.0.1:1; "
	actorstest.RunMatrix(t, "testdata/matrix/registry.txt", actorstest.Matrix{
		Describe: "cluster",
		States: []string{
			"unknown: admit id=n1; admit id=n1", // rejected: two ids are used up
			"online:" + two,
			"online, having replaced a live session: admit id=n1 role=liaison addr=10.0.0.1:1; admit id=n1 role=liaison addr=10.0.0.1:1",
			"silent:" + two + "wait 30s",
			"silent, and reported:" + two + "wait 30s; sweep",
			"lost:" + two + "ended a2 cut",
			"lost while silent:" + two + "wait 30s; sweep; ended a2 cut",
			"gone after a goodbye:" + two + "ended a2 goodbye",
			"removed:" + two + "wait 330s; sweep",
		},
		Events: []string{"admit id=n1 role=liaison addr=10.0.0.1:1", "admit id=n1 role=liaison addr=10.0.0.2:2",
			"admit id=n1 role=-", "heartbeat a1 role=liaison", "heartbeat a2 role=liaison zone=b", "heartbeat a2 role=-",
			"heartbeat a9 role=liaison", "ended a1 lost", "ended a1 goodbye", "ended a2 lost", "ended a2 goodbye", "ended a9 lost",
			"sweep", "wait 30s; sweep", "wait 300s; sweep"},
	}, func() actorstest.Script {
		m := &registryMachine{}
		m.state = newRegistryState(RegistryLimits{HeartbeatTimeout: 30 * time.Second, CleanupTimeout: 5 * time.Minute, MaxAgents: 3})
		return m
	})
}

// Every event in every state of a channel. Request 1 is that of collection 1;
// 9 is another collection.
func TestChannelMatrix(t *testing.T) {
	for file, setUp := range map[string]string{"channel": "", "channel_parts": "stream topology; ", "channel_quiet": "stream crashes; "} {
		states := []string{
			"new:",
			"without a stream for too long: wait 2s",
			"new, and a request waits: ask 1 5s",
			"idle: attach",
			"asked: attach; ask 1 5s",
			"asked twice: attach; ask 1 5s; ask 2 5s",
			"half answered: attach; ask 1 5s; answer 1 more",
			"asked, and nobody waits: attach; ask 1 5s; cancel 1",
			"overdue: attach; ask 1 5s; wait 5s",
			"failed half-way: attach; ask 1 5s; answer 1 more samples=33554433",
			"answered: attach; ask 1 5s; answer 1",
			"flooded to the limit: attach; answer 7 times=16",
			"detached: attach; ask 1 5s; detach cut",
			"detached, and a request waits: attach; detach cut; ask 1 5s",
			"ended: attach; ask 1 5s; end lost",
		}
		for i, s := range states {
			states[i] = strings.Replace(s, ":", ": "+setUp, 1)
		}
		actorstest.RunMatrix(t, "testdata/matrix/"+file+".txt", actorstest.Matrix{
			Describe: "phase",
			States:   states,
			Events: []string{"ask 9 5s", "ask 9 0s", "cancel 1", "cancel 9", "attach", "detach why", "end why", "tick",
				"wait 2s; tick", "wait 40s; ask 9 5s", "answer 0", "answer 0 more", "answer 1", "answer 1 more", "answer 1 error=why", "answer 7"},
		}, func() actorstest.Script { return phasedChannel{newChannelMachine()} })
	}
}

// phasedChannel describes the state by the requests under way.
type phasedChannel struct{ *channelMachine }

func (m phasedChannel) Do(command string, args []string) string {
	if command != "phase" {
		return m.channelMachine.Do(command, args)
	}
	stream := "no stream"
	if m.state.attached {
		stream = "a stream"
	}
	text := stream
	for _, r := range m.state.requests {
		text += fmt.Sprintf(", request %d of %d", r.id, r.collectionID)
		if r.sent {
			text += " sent"
		}
		if r.cancelled {
			text += " cancelled"
		}
	}
	if m.state.owesOverdue(m.Now()) {
		text += ", " + string(messages.MissingBusy)
	}
	return text
}
