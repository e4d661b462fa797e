package agent

import (
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// answerHeartbeats makes the proxy answer heartbeats as long as alive says so,
// after a delay and from a clock that is ahead.
func (p *fakeProxy) answerHeartbeats(alive func() bool, delay, ahead time.Duration) {
	p.register = func(n int, g registerServer) error {
		for {
			f, err := p.recvRegistration(n, g)
			if err != nil {
				return nil
			}
			if !alive() {
				continue
			}
			<-time.After(delay)
			answer := p.welcome(n)
			answer.Capabilities = []wire.Capability{wire.Capability_CAPABILITY_HEARTBEAT_ANSWERS}
			answer.Clock, answer.EchoedClock = timestamppb.New(time.Now().Add(ahead)), f.GetClock()
			if g.Send(answer) != nil {
				return nil
			}
		}
	}
}

func TestHeartbeatsTellTheirTiming(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.answerHeartbeats(func() bool { return true }, 30*time.Millisecond, time.Hour)
		w.run()
		w.pass(time.Minute)
		frames := w.proxy.sessions()[0].frames
		require.Len(t, frames, 6)
		require.Nil(t, frames[0].GetRoundTrip(), "nothing is measured yet")
		for _, f := range frames[1:] {
			require.Equal(t, 30*time.Millisecond, f.GetRoundTrip().AsDuration())
			require.Equal(t, time.Hour+15*time.Millisecond, f.GetClockOffset().AsDuration())
		}
	})
}

// A proxy that answers no more, while its connection lives, is given up.
func TestUnansweredHeartbeatsEndTheSession(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		deafFrom := w.start.Add(25 * time.Second)
		w.proxy.answerHeartbeats(func() bool { return time.Now().Before(deafFrom) || time.Since(deafFrom) > 35*time.Second }, 0, 0)
		w.run()
		w.pass(30*time.Second + 30*time.Second - time.Millisecond) // from the first heartbeat without an answer
		require.Len(t, w.proxy.sessions(), 1)
		w.pass(time.Millisecond)
		require.Equal(t, []string{"lost the session with the proxy: the proxy has not answered a heartbeat for 30s"}, w.lines("lost the"))
		w.pass(time.Minute)
		require.Equal(t, messages.LinkConnected, w.link().State)
		w.pass(time.Hour)
		require.Len(t, w.lines("not answered a heartbeat"), 1, "it answers again")
	})
}

// The load is known from the first frame on, the health from the first scrape on.
func TestRegistrationTellsTheRuntime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.pass(time.Minute)
		w.crash()
		sessions := w.proxy.sessions()
		require.NotNil(t, sessions[0].frames[0].GetRuntime())
		require.Empty(t, sessions[0].frames[0].GetRuntime().GetHealth())
		require.Equal(t, "healthy", sessions[0].frames[1].GetRuntime().GetHealth())
		require.Equal(t, "healthy", sessions[1].frames[0].GetRuntime().GetHealth())
	})
}
