package modes

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// gcLog records the GC percentages that an idleGC sets.
type gcLog struct {
	t  *testing.T
	gc *idleGC

	mu  sync.Mutex
	set []string
}

func newGCLog(t *testing.T) *gcLog {
	l := &gcLog{t: t}
	l.gc = newIdleGC(func(percent int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.set = append(l.set, fmt.Sprint(percent))
	})
	return l
}

// after lets the time pass, and requires what was set since the last call.
func (l *gcLog) after(d time.Duration, want string) {
	l.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Equal(l.t, want, strings.Join(l.set, " "))
	l.set = nil
}

// Garbage is collected early until the first collection, and again when there was none for a
// while.
func TestIdleGC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newGCLog(t)
		l.after(0, "10")
		l.after(time.Hour, "")
		done := l.gc.collecting()
		l.after(0, "100")
		done()
		for range 10 { // A scrape now and then keeps it busy.
			l.after(idleAfter-time.Second, "")
			l.gc.collecting()()
		}
		l.after(idleAfter-time.Second, "")
		l.after(time.Second, "10")
		l.after(time.Hour, "")
		l.gc.collecting()()
		l.after(idleAfter, "100 10")
		l.gc.end()
		l.gc.end()
		l.gc.collecting()()
		l.after(time.Hour, "100")
	})
}

// A collection under way keeps the proxy busy, however long it takes.
func TestIdleGCWaitsForCollections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newGCLog(t)
		l.after(0, "10")
		first, second := l.gc.collecting(), l.gc.collecting()
		l.after(time.Hour, "100")
		first()
		l.after(time.Hour, "")
		second()
		l.after(idleAfter, "10")
		l.gc.collecting()
		l.gc.end()
		l.after(time.Hour, "100 100")
	})
}

// The usual percentage is set before the first answer of a collection comes.
func TestCollectionsEndIdleGC(t *testing.T) {
	inClusterOf(t, 1, changingPage, func(t *testing.T, w *cluster) {
		l := newGCLog(t)
		p := &runningProxy{program: Program{Log: zap.NewNop()}, proxy: w.proxy, idleGC: l.gc}
		api := p.api(w.sys, ProxyConfig{}, 1<<30)
		l.after(0, "10")
		_, err := api.Collect(t.Context(), messages.Query{Deadline: time.Now().Add(clusterPatience)})
		require.NoError(t, err)
		l.after(0, "100")
		l.gc.end()
	})
}

func TestIdleGCLeavesGOGC(t *testing.T) {
	t.Setenv("GOGC", "50")
	g := startIdleGC()
	require.Nil(t, g)
	g.collecting()()
	g.end()
}

// The setting is the process's, so one proxy has it.
func TestProcessHasOneIdleGC(t *testing.T) {
	t.Setenv("GOGC", "")
	first := startIdleGC()
	require.NotNil(t, first)
	require.Nil(t, startIdleGC())
	first.end()
	second := startIdleGC()
	require.NotNil(t, second)
	second.end()
}
