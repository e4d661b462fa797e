package actors_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"fodc/actors"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// All at once, in real time: what is left at the end is nothing.
func TestStress(t *testing.T) {
	sys := actors.NewSystem(zap.NewNop())
	var running sync.WaitGroup
	for worker := range 4 {
		running.Go(func() {
			for n := range 300 {
				stressOne(t, sys, worker+n)
			}
		})
	}
	running.Go(func() {
		for range 300 {
			for _, n := range sys.Tree().Actors {
				assert.False(t, n.Orphan, n.ID)
			}
			sys.Counts()
		}
	})
	running.Wait()
	require.NoError(t, sys.StopAll(context.Background()))
	require.Empty(t, sys.Tree().Actors)
	require.Empty(t, sys.Untracked())
}

func stressOne(t *testing.T, sys *actors.System, n int) {
	ctx := context.Background()
	policies := []actors.OnFailure{{}, actors.ResumeOnFailure(),
		actors.RestartOnFailure(actors.Backoff{Max: 100})}
	pid := spawn(sys, policies[n%len(policies)], func(c actors.Context) {
		if _, ok := c.Message().(*actors.Started); ok {
			spawnChild(sys, c, "child", obliging)
		}
		obliging(c)
	})
	var askers sync.WaitGroup
	for k := range 3 {
		askers.Go(func() {
			got, err := actors.Ask[pong](ctx, sys, pid, ping{k})
			assert.True(t, got == pong{k} || errors.Is(err, actors.ErrGone), "%v, %v", got, err)
		})
	}
	if n%2 == 0 {
		sys.Send(pid, crash{"boom"})
	}
	if n%4 == 0 {
		sys.StopAsync(pid)
	}
	askers.Go(func() { assert.NoError(t, sys.Stop(ctx, pid)) })
	askers.Wait()
	_, err := actors.Ask[pong](ctx, sys, pid, ping{})
	assert.ErrorIs(t, err, actors.ErrGone)
}
