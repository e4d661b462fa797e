package proxy

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// An agent that is refused comes again each few seconds, for ever: the log says so once,
// and now and then how often.
func TestRefusalsAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.WarnLevel)
		sys := actors.NewSystem(zap.New(core))
		pid := sys.Spawn("registry", actors.OnFailure{}, func() actors.Actor { return newRegistry(sys, testConfig) })
		refuse := func(ip string, port int, role string) {
			_, err := actors.Ask[admitted](t.Context(), sys, pid, admit{
				registration: messages.Registration{NodeID: "n1", Role: role}, peer: messages.Address{IP: ip, Port: int32(port)}})
			require.Error(t, err)
		}
		const attempts = 3 * int(refusalsAgain/(5*time.Second))
		for i := range attempts {
			refuse("10.0.0.1", 40000+i, "")
			refuse("10.0.0.2", 40000+i, "")
			time.Sleep(5 * time.Second)
		}
		refuse("10.0.0.2", 40000, "not a role")
		var times []int64
		for _, l := range logs.FilterMessage("registration refused").All() {
			times = append(times, l.ContextMap()["times"].(int64))
		}
		again := int64(attempts / 3)
		require.Equal(t, []int64{1, 1, again, again, again, again, 1}, times)
		require.NoError(t, sys.Stop(t.Context(), pid))
		sys.Shutdown()
		time.Sleep(time.Second)
	})
}

// However different the refusals are, the log has a bounded number of lines of them.
func TestRefusalsAreBounded(t *testing.T) {
	r := refusals{}
	now := time.Unix(0, 0)
	lines, told := 0, 0
	flood := func(n int) {
		for i := range n {
			if times := r.met(strconv.Itoa(i), now); times > 0 {
				lines++
				told += times
			}
		}
	}
	flood(2_000)
	require.Equal(t, maxRefusals+1, lines)
	require.LessOrEqual(t, len(r), maxRefusals+1)
	now = now.Add(refusalsAgain)
	flood(2_000)
	require.LessOrEqual(t, lines, 2*(maxRefusals+1))
	require.LessOrEqual(t, len(r), maxRefusals+1)
	require.Greater(t, told, 2_000-maxRefusals, "those that had no line of their own are counted")
}
