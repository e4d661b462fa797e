package httpapi

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// isOpen reports whether a channel is there, and not closed.
func isOpen(c <-chan struct{}) bool {
	select {
	case <-c:
		return false
	default:
		return c != nil
	}
}

func TestWhilePagesAreAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pages
		require.Nil(t, p.ahead())
		endFirst := p.begin()
		seen := p.ahead()
		time.Sleep(messages.MaxPrecedence - time.Nanosecond)
		endSecond := p.begin()
		require.True(t, isOpen(seen))
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.True(t, isOpen(p.ahead()), "the second one is ahead")
		endFirst()
		require.True(t, isOpen(seen), "it counts once")
		endSecond()
		require.False(t, isOpen(seen))
		require.Nil(t, p.ahead())
		endSecond()
		p.begin()
		require.True(t, isOpen(p.ahead()))
		time.Sleep(messages.MaxPrecedence)
		synctest.Wait()
		require.Nil(t, p.ahead(), "a page that takes long is not")
	})
}

func TestWhichPagesGoBeforeQueries(t *testing.T) {
	f := func(path string, err error, want bool) {
		t.Helper()
		p := newFakeProxy()
		asked := false
		p.Collect = func(context.Context, messages.Query) (*messages.Collection, error) {
			asked = true
			require.Equal(t, want, isOpen(p.PagesAhead()))
			return threeNodes(), err
		}
		p.get(path)
		require.True(t, asked)
		require.Nil(t, p.PagesAhead(), "it has ended")
	}
	f("/metrics", nil, true)
	f("/metrics?strict=1", nil, true)
	f("/metrics", errors.New("lost"), true)
	f("/metrics-windows", nil, true)
	f("/agents/n1/metrics", nil, true)
	f("/agents/n2/metrics", nil, true)

	p := newFakeProxy()
	p.Collect = func(context.Context, messages.Query) (*messages.Collection, error) {
		require.Nil(t, p.PagesAhead())
		return threeNodes(), nil
	}
	_, release, err := p.CollectForQuery(t.Context(), inTime(messages.Window{}))
	require.NoError(t, err)
	release()
}

func TestTheAgentsPageGoesBeforeQueries(t *testing.T) {
	h, a := newFakeAgent()
	latest := a.Latest
	a.Latest = func(ctx context.Context, s messages.Selection) ([]messages.Block, error) {
		require.True(t, isOpen(a.PagesAhead()))
		return latest(ctx, s)
	}
	require.Equal(t, http.StatusOK, do(h, http.MethodGet, "/metrics").Code)
	require.Nil(t, a.PagesAhead())
}
