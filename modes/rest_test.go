package modes

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A proxy gives memory back once when it has relayed nothing for a minute, or when agents
// have come and no more do; it collects garbage late as soon as it relays something.
func TestProxyAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var did []string
		do := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			did = append(did, what)
		}
		var opened atomic.Uint64
		r := newRest(func(percent int) { do(fmt.Sprint(percent)) }, func() { do("free") }, opened.Load)
		after := func(d time.Duration, want string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			require.Equal(t, want, strings.Join(did, " "))
			did = nil
		}
		after(0, "10") // It begins at rest.
		after(time.Hour, "")
		for range 30 {
			opened.Add(100)
			after(restInterval, "")
		}
		after(restInterval, "free")
		after(time.Hour, "")
		r.wake()
		after(0, "200")
		for range 10 { // A scrape now and then keeps it awake.
			r.wake()
			opened.Add(1)
			after(restAfter-time.Second, "")
		}
		after(time.Second, "10")
		after(restInterval, "free") // when it has seen that no more agents come
		after(time.Hour, "")
		r.wake()
		after(restAfter, "200 10 free")
		r.end()
		r.wake()
		after(time.Hour, "100")
	})
}

// Whoever sets GOGC knows better.
func TestProxyRestLeavesGOGC(t *testing.T) {
	t.Setenv("GOGC", "50")
	r := newProxyRest(func() uint64 { return 0 })
	require.Nil(t, r)
	r.wake()
	r.end()
}
