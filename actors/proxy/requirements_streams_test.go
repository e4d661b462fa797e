package proxy

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// What TestNoSendOnReplacedStream and its neighbours hold of the metrics stream holds of each stream.

// askedForCrashes answers what the proxy itself asks an agent that has come, which is for its crashes.
func (p *fakePeer) askedForCrashes(w *world) *fakePeer {
	p.t.Helper()
	if p.kind.stream() == messages.StreamCrashes {
		q, ok := p.next()
		require.True(p.t, ok)
		p.sendWhole(q)
		time.Sleep(2 * crashesQuiet)
	}
	synctest.Wait()
	require.Zero(p.t, w.alive("collect"))
	return p
}

// saysNothing is what becomes of the answer of an agent that says nothing: an agent of the field that has
// no crash to tell of says nothing, too.
func saysNothing(k *kindOfQuestion, native bool) any {
	if !native && k.stream() == messages.StreamCrashes {
		return 0
	}
	return messages.MissingTimeout
}

func TestNoSendOnReplacedStreamOnEveryStream(t *testing.T) {
	onEveryStream(t, testConfig, func(t *testing.T, w *world, k *kindOfQuestion, native bool) {
		a := w.connect(firstOf("n1", native))
		first := a.peer(k)
		asked := make(chan bool, 2)
		go func() {
			_, ok := first.next()
			asked <- ok
			_, ok = first.next()
			asked <- ok
		}()
		synctest.Wait()
		done := make(chan map[string]any)
		go func() { done <- w.collectOf(k) }()
		require.True(t, <-asked)
		go a.peer(k).serve()
		require.Equal(t, map[string]any{"n1": messages.MissingError}, <-done, "questions on the old stream fail at once")
		require.Equal(t, map[string]any{"n1": 1}, w.collectOf(k))
		require.False(t, <-asked, "it has ended, and was asked nothing more")
		require.Equal(t, 1, w.alive("session"))
	})
}

func TestCollectTimeoutIsSafeOnEveryStream(t *testing.T) {
	onEveryStream(t, testConfig, func(t *testing.T, w *world, k *kindOfQuestion, native bool) {
		a := w.connect(firstOf("n1", native))
		a.beat()
		p := a.peer(k).askedForCrashes(w)
		go func() {
			for q, ok := p.next(); ok; q, ok = p.next() {
				select {
				case <-time.After(6 * time.Second):
					p.sendWhole(q)
				case <-p.g.Context().Done():
				}
			}
		}()
		for range 3 {
			begin := time.Now()
			got := w.collectOf(k)
			require.LessOrEqual(t, time.Since(begin), 5*time.Second)
			if want := saysNothing(k, native); want == messages.MissingTimeout {
				require.Equal(t, map[string]any{"n1": want}, got)
			}
			synctest.Wait()
			require.Zero(t, w.alive("collect"))
			time.Sleep(2 * time.Second)
		}
		require.Equal(t, map[string]messages.Status{"n1": messages.StatusOnline}, w.statuses())
	})
}

func TestFanOutStopsOnCancelOnEveryStream(t *testing.T) {
	onEveryStream(t, testConfig, func(t *testing.T, w *world, k *kindOfQuestion, native bool) {
		p := w.connect(firstOf("n1", native)).peer(k)
		go p.next()
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := w.proxy.Collect(ctx, messages.Query{Question: k.question, Deadline: time.Now().Add(5 * time.Second)})
			failed <- err
		}()
		synctest.Wait()
		require.Equal(t, 1, w.alive("collect"))
		cancel()
		require.ErrorIs(t, <-failed, context.Canceled)
		synctest.Wait()
		require.Zero(t, w.alive("collect"))
	})
}

func TestCollectionReleasedOnceOnEveryStream(t *testing.T) {
	cfg := testConfig
	cfg.MaxCollections = 2
	onEveryStream(t, cfg, func(t *testing.T, w *world, k *kindOfQuestion, native bool) {
		p := w.connect(firstOf("n1", native)).peer(k).askedForCrashes(w)
		go func() {
			for _, ok := p.next(); ok; _, ok = p.next() {
			}
		}()
		synctest.Wait()
		of := func(role string) messages.Query {
			return messages.Query{Question: k.question, Filter: messages.NodeFilter{Roles: []string{role, "ROLE_DATA", "liaison"}}, Deadline: time.Now().Add(5 * time.Second)}
		}
		var all sync.WaitGroup
		for i := range 2 {
			all.Go(func() { w.collect(of(fmt.Sprint(i))) })
		}
		synctest.Wait()
		_, err := w.proxy.Collect(t.Context(), of("2"))
		var rejected *messages.Error
		require.ErrorAs(t, err, &rejected)
		require.Equal(t, messages.ErrUnavailable, rejected.Kind)
		all.Wait()
		for i := range 5 {
			w.collect(of(fmt.Sprint(i)))
		}
		synctest.Wait()
		require.Zero(t, w.alive("collect"))
	})
}

func TestStreamEndCleansUpOnceOnEveryStream(t *testing.T) {
	ends := map[string]func(a *fakeAgent, p *fakePeer){
		"the stream":       func(_ *fakeAgent, p *fakePeer) { _ = p.g.CloseSend() },
		"the registration": func(a *fakeAgent, _ *fakePeer) { _ = a.reg.CloseSend() },
		"the connection":   func(a *fakeAgent, _ *fakePeer) { a.cancel() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			onEveryStream(t, testConfig, func(t *testing.T, w *world, k *kindOfQuestion, native bool) {
				a := w.connect(firstOf("n1", native))
				p := a.peer(k)
				synctest.Wait()
				done := make(chan map[string]any)
				go func() { done <- w.collectOf(k) }()
				p.next()
				begin := time.Now()
				end(a, p)
				require.Equal(t, map[string]any{"n1": messages.MissingError}, <-done)
				require.Less(t, time.Since(begin), time.Second, "nobody waits for what will not come")
				synctest.Wait()
				require.Zero(t, w.alive("collect"))
				require.Equal(t, name == "the stream", w.alive("session") == 1)
			})
		})
	}
}
