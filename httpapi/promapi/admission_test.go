package promapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"
)

// Queries enter, leave and give up, in this script; the transcript says which run.
func TestAdmissionState(t *testing.T) {
	f := func(slots, longSlots int, script, want string) {
		t.Helper()
		s := admissionState{slots: slots, longSlots: longSlots}
		ids, kindOf := map[string]int{}, map[string]kind{}
		var got []string
		names := func(run []int) string {
			var list []string
			for _, id := range run {
				for name, known := range ids {
					if known == id {
						list = append(list, name)
					}
				}
			}
			return strings.Join(list, "+")
		}
		for _, step := range strings.Fields(script) {
			name := step[1:]
			switch k := (map[byte]kind{'l': live, 'L': long})[name[0]]; step[0] {
			case '+':
				id, runs, ok := s.enter(k)
				require.True(t, ok)
				ids[name], kindOf[name] = id, k
				if runs {
					got = append(got, name)
				}
			case '-':
				if run := names(s.leave(kindOf[name])); run != "" {
					got = append(got, "-"+name+":"+run)
				}
			case '!':
				if !s.abandon(kindOf[name], ids[name]) {
					got = append(got, "!"+name+":ran")
				}
			}
		}
		require.Equal(t, want, strings.Join(got, " "), script)
	}
	f(2, 1, "+l1 +l2 +l3 -l1 -l2", "l1 l2 -l1:l3")
	f(4, 2, "+L1 +L2 +L3 +l1 +l2 +l3", "L1 L2 l1 l2")
	f(4, 2, "+L1 +L2 +L3 -L1 -L2 -L3", "L1 L2 -L1:L3")
	// Live ones go before long ones, those of a kind in their order.
	f(1, 1, "+l1 +L1 +L2 +l2 +l3 -l1 -l2 -l3 -L1 -L2", "l1 -l1:l2 -l2:l3 -l3:L1 -L1:L2")
	// All slots may be live.
	f(2, 1, "+l1 +l2 +L1 -l1 +l3", "l1 l2 -l1:L1")
	f(3, 1, "+l1 +L1 +L2 -l1 +l2 -L1", "l1 L1 l2 -L1:L2")
	f(1, 1, "+l1 +l2 +l3 !l2 -l1", "l1 -l1:l3")
	f(1, 1, "+l1 !l1", "l1 !l1:ran")

	s := admissionState{slots: 1, longSlots: 1}
	for i := range maxWaiting + 1 {
		_, runs, ok := s.enter(long)
		require.True(t, ok)
		require.Equal(t, i == 0, runs)
	}
	_, _, ok := s.enter(long)
	require.False(t, ok)
	_, runs, ok := s.enter(live)
	require.True(t, ok)
	require.False(t, runs)
}

func TestAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(1)
		require.NoError(t, a.wait(t.Context(), live))

		// The wait ends with the timeout, in the words of Prometheus.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		err := a.wait(ctx, live)
		require.Equal(t, time.Second, time.Since(begin))
		require.Equal(t, promql.ErrQueryTimeout("query queue"), err)
		require.EqualError(t, err, "query timed out in query queue")

		// Or when the client goes.
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		require.EqualError(t, a.wait(ctx, long), "query was canceled in query queue")

		// Those that gave up are not in the way.
		order := make(chan string)
		for _, k := range []kind{long, live, long, live} {
			go func() {
				if a.wait(t.Context(), k) == nil {
					order <- fmt.Sprint(k)
					a.done(k)
				}
			}()
			synctest.Wait()
		}
		a.done(live)
		require.Equal(t, []string{"0", "0", "1", "1"}, []string{<-order, <-order, <-order, <-order})
		synctest.Wait()
		require.Equal(t, [kinds]int{}, a.state.running)
		require.Empty(t, a.admitted)
	})
}

func TestAdmissionIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(1)
		require.NoError(t, a.wait(t.Context(), live))
		ctx, cancel := context.WithCancel(t.Context())
		for range maxWaiting {
			go func() { _ = a.wait(ctx, live) }()
		}
		synctest.Wait()
		err := a.wait(ctx, live)
		var known *messages.Error
		require.True(t, errors.As(err, &known))
		require.Equal(t, messages.ErrUnavailable, known.Kind)
		require.EqualError(t, err, "512 queries are waiting in query queue, at most 512 are allowed: try again")
		require.Equal(t, 503, apiErrorOf(err).status)
		require.Equal(t, errorUnavailable, apiErrorOf(err).kind)
		cancel()
		synctest.Wait()
		require.Empty(t, a.state.waiting[live])
		require.Empty(t, a.admitted)
	})
}

// However waits end, and whatever is admitted at the same moment: no slot is lost, none is too many.
func TestAdmissionLosesNoSlot(t *testing.T) {
	a := newAdmission(3)
	done := make(chan struct{})
	for i := range 16 {
		go func() {
			defer func() { done <- struct{}{} }()
			for j := range 100 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration((i*j)%50)*time.Microsecond)
				k := kind(i % 2)
				if a.wait(ctx, k) == nil {
					a.mu.Lock()
					running := a.state.running
					a.mu.Unlock()
					if running[live]+running[long] > 3 || running[long] > 1 {
						t.Errorf("%v are running", running)
					}
					a.done(k)
				}
				cancel()
			}
		}()
	}
	for range 16 {
		<-done
	}
	require.Equal(t, [kinds]int{}, a.state.running)
	require.Empty(t, a.state.waiting[live])
	require.Empty(t, a.state.waiting[long])
	require.Empty(t, a.admitted)
}

// A wait that ends at the moment in which it is over gives the slot back.
func TestAdmissionAtTheSameMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(1)
		for range 100 {
			require.NoError(t, a.wait(t.Context(), live))
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if a.wait(ctx, long) == nil {
					a.done(long)
				}
			}()
			synctest.Wait()
			// The one that waits finds both.
			a.mu.Lock()
			cancel()
			a.leave(live)
			a.mu.Unlock()
			synctest.Wait()
			require.Equal(t, [kinds]int{}, a.state.running)
			require.Empty(t, a.admitted)
		}
	})
}
