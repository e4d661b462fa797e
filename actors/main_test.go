package actors_test

import (
	"testing"
	"time"

	"fodc/actors"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receive is an actor without state of its own.
type receive func(c actors.Context)

func (f receive) Receive(c actors.Context) { f(c) }

func spawn(sys *actors.System, on actors.OnFailure, f receive) *actors.PID {
	return sys.Spawn("test", on, func() actors.Actor { return f })
}

func spawnChild(sys *actors.System, c actors.Context, kind string, f receive) *actors.PID {
	return sys.SpawnChild(c, kind, func() actors.Actor { return f })
}

// Messages that the tests' actors understand.
type (
	ping  struct{ n int }
	pong  struct{ n int }
	crash struct{ why string }
	nap   struct{ d time.Duration }
)

// obliging answers pings, panics when it is told to, and can be kept busy.
func obliging(c actors.Context) {
	switch m := c.Message().(type) {
	case ping:
		actors.Reply(c, pong(m))
	case crash:
		panic(m.why)
	case nap:
		<-time.After(m.d)
	}
}

var patient = actors.Backoff{Base: time.Second, Cap: 8 * time.Second, Max: 5, Window: time.Hour}
