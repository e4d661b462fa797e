package modes

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// restLog is what a rest does, in words.
type restLog struct {
	t    *testing.T
	rest *rest
	// opened is how many sessions there have been.
	opened atomic.Uint64

	mu  sync.Mutex
	did []string
}

func newRestLog(t *testing.T) *restLog {
	l := &restLog{t: t}
	l.rest = newRest(func(percent int) { l.do(fmt.Sprint(percent)) }, func() { l.do("free") }, l.opened.Load)
	return l
}

func (l *restLog) do(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.did = append(l.did, what)
}

// after passes the time, and requires that this has been done since the last call.
func (l *restLog) after(d time.Duration, want string) {
	l.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Equal(l.t, want, strings.Join(l.did, " "))
	l.did = nil
}

// A proxy gives memory back once when it has collected nothing for a while, or when agents
// have come and no more do; it collects garbage late as soon as it collects answers.
func TestProxyAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newRestLog(t)
		l.after(0, "10") // It begins at rest.
		l.after(time.Hour, "")
		for range 30 {
			l.opened.Add(100)
			l.after(restInterval, "")
		}
		l.after(restInterval, "free")
		l.after(time.Hour, "")
		done := l.rest.collecting()
		l.after(0, "150") // before answers come
		done()
		for range 10 { // A scrape now and then keeps it awake.
			l.rest.collecting()()
			l.opened.Add(1)
			l.after(restAfter-time.Second, "")
		}
		l.after(time.Second, "10")
		l.after(restInterval, "free") // when it has seen that no more agents come
		l.after(time.Hour, "")
		l.rest.collecting()()
		l.after(restAfter, "150 10 free")
		l.rest.end()
		l.rest.end()
		l.rest.collecting()()
		l.after(time.Hour, "100")
	})
}

// Collections that take their time, once a minute as Prometheus asks unless it is told
// otherwise, are never met by a proxy at rest.
func TestProxyRestsNotWhileItCollects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newRestLog(t)
		l.after(0, "10")
		begin := time.Now()
		for i := range 60 {
			time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Minute)))
			done := l.rest.collecting()
			time.Sleep(time.Duration(100+i%2*50) * time.Millisecond)
			done()
		}
		l.after(0, "150")
		first, second := l.rest.collecting(), l.rest.collecting()
		first()
		l.after(time.Hour, "")
		second()
		l.after(restAfter+restInterval, "10 free")
		l.rest.end()
		l.after(0, "100")
	})
}

// A proxy is awake before the first answer of a collection comes.
func TestCollectionsWakeTheProxy(t *testing.T) {
	inClusterOf(t, 1, changingPage, func(t *testing.T, w *cluster) {
		l := newRestLog(t)
		p := &runningProxy{log: zap.NewNop(), proxy: w.proxy, rest: l.rest}
		api := p.api(w.sys, ProxyConfig{}, 1<<30)
		l.after(0, "10")
		_, err := api.Collect(t.Context(), messages.Query{Deadline: time.Now().Add(clusterPatience)})
		require.NoError(t, err)
		l.after(0, "150")
		l.rest.end()
	})
}

// Whoever sets GOGC knows better.
func TestProxyRestLeavesGOGC(t *testing.T) {
	t.Setenv("GOGC", "50")
	r := newProxyRest(func() uint64 { return 0 })
	require.Nil(t, r)
	r.collecting()()
	r.end()
}

// A process has one: it is its garbage that is collected.
func TestProcessHasOneRest(t *testing.T) {
	t.Setenv("GOGC", "")
	none := func() uint64 { return 0 }
	first := newProxyRest(none)
	require.NotNil(t, first)
	require.Nil(t, newProxyRest(none))
	first.end()
	second := newProxyRest(none)
	require.NotNil(t, second)
	second.end()
}
