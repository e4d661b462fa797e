//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func journalOf(t *testing.T, agent *process) messages.JournalHealth {
	t.Helper()
	h := agentHealth(t, agent).Journal
	require.NotNil(t, h)
	return *h
}

// awaitJournal waits until the agent's journal is in one of the states.
func awaitJournal(t *testing.T, agent *process, states ...messages.JournalState) (h messages.JournalHealth) {
	t.Helper()
	eventually(t, "the journal", func() error {
		h = journalOf(t, agent)
		if slices.Contains(states, h.State) {
			return nil
		}
		return fmt.Errorf("it is %q, not %q", h.State, states)
	})
	return h
}

// busyness is by how much a timer was late: how busy the machine is.
type busyness struct{ late atomic.Int64 }

// watchBusyness does so until the end of the test.
func watchBusyness(t *testing.T) *busyness {
	const interval = 5 * time.Millisecond
	b := &busyness{}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() {
		for ctx.Err() == nil {
			began := time.Now()
			<-time.After(interval)
			b.late.Store(max(b.late.Load(), int64(time.Since(began)-interval)))
		}
	}()
	return b
}

func (b *busyness) longest() time.Duration { return time.Duration(b.late.Load()) }
