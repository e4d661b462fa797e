//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

const (
	kills = 20
	// killedInterval is the interval of the scrapes.
	killedInterval = 100 * time.Millisecond
	// killedScrapes is how many scrapes an agent shows before it is killed, within one more.
	killedScrapes = 3
)

// acknowledged are the pages of a node that an agent has shown on its own /metrics.
type acknowledged struct {
	mu    sync.Mutex
	pages map[int]bool
}

// watch asks the agent until ctx ends.
func (a *acknowledged) watch(ctx context.Context, t *testing.T, agent *process, node *countedNode) {
	addr := agent.addr("agent")
	for ctx.Err() == nil {
		status, body, _, err := get(addr, "/metrics?"+countedQuery)
		if err != nil || status != http.StatusOK {
			continue // not up yet, or killed meanwhile
		}
		for _, page := range node.scrapesOf(t, body) {
			a.mu.Lock()
			a.pages[page] = true
			a.mu.Unlock()
		}
	}
}

// newest returns the newest page, -1 if there is none, and their number.
func (a *acknowledged) newest() (newest, count int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	newest = -1
	for page := range a.pages {
		newest = max(newest, page)
	}
	return newest, len(a.pages)
}

// life is one run of an agent that was killed.
type life struct {
	began, killed time.Time
	newest        int // the newest page that it has shown
}

// killOnce runs an agent until it has shown some scrapes, and kills it at any moment of a scrape.
func (a *acknowledged) killOnce(t *testing.T, node *countedNode, run func() *process) life {
	l := life{began: time.Now()}
	agent := run()
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { a.watch(ctx, t, agent, node) })
	defer watching.Wait()
	defer cancel()
	_, before := a.newest()
	eventually(t, "scrapes are shown", func() error {
		if _, now := a.newest(); now < before+killedScrapes {
			return fmt.Errorf("%d", now-before)
		}
		return nil
	})
	<-time.After(rand.N(killedInterval))
	l.killed = time.Now()
	agent.kill(syscall.SIGKILL)
	<-agent.exited
	cancel()
	watching.Wait()
	l.newest, _ = a.newest()
	return l
}

// TestE2EJournalSurvivesKills: what an agent has shown is there after it was killed, each scrape
// once, with its time and its values; where it was down there is nothing, and events say so.
func TestE2EJournalSurvivesKills(t *testing.T) {
	t.Parallel()
	proxy, node, dir := startProxy(t), startCountedNode(t, 200), t.TempDir()
	run := func() *process {
		return startAgent(t, proxy, "n1", "liaison", node.endpoint(), "--storage-dir", dir,
			"--poll-metrics-interval", killedInterval.String())
	}
	begin := time.Now().Add(-time.Second)
	shown := &acknowledged{pages: map[int]bool{}}
	var lives []life
	for range kills {
		lives = append(lives, shown.killOnce(t, node, run))
	}
	last := time.Now()
	agent := run()
	awaitJournal(t, agent, "writing")
	awaitStatuses(t, proxy, "n1", "online")

	var scrapes []countedScrape
	eventually(t, "a window that is whole", func() error {
		var partial string
		if scrapes, partial = node.window(t, proxy, since(begin)); partial != "" {
			return fmt.Errorf("partial: %s", partial)
		}
		return nil
	})
	recorded := pagesOf(scrapes)
	var lost []int
	for _, page := range slices.Sorted(maps.Keys(shown.pages)) {
		if !recorded[page] {
			lost = append(lost, page)
		}
	}
	require.Empty(t, lost, "pages that were shown before a kill, of %d", len(shown.pages))
	for _, s := range scrapes {
		require.True(t, inALife(s, lives, last), "page %d at %s: the agent was down", s.page, s.at)
	}
	requireDownTimes(t, agentHealth(t, agent), lives, last, scrapes)
	t.Logf("%d kills: %d pages served, %d recorded, %d shown before a kill, all of them there", kills, node.served(), len(scrapes), len(shown.pages))
}

// inALife reports whether an agent ran at the time of the scrape.
func inALife(s countedScrape, lives []life, last time.Time) bool {
	for _, l := range lives {
		if !s.at.Before(l.began.Add(-snapped)) && !s.at.After(l.killed.Add(snapped)) {
			return true
		}
	}
	return !s.at.Before(last.Add(-snapped))
}

// requireDownTimes checks the events of the agent's starts and ends.
func requireDownTimes(t *testing.T, h messages.AgentHealth, lives []life, last time.Time, scrapes []countedScrape) {
	t.Helper()
	at := map[int]time.Time{}
	for _, s := range scrapes {
		at[s.page] = s.at
	}
	var stopped, started []time.Time
	for _, e := range h.Events {
		switch e.Event {
		case "agent_stopped":
			stopped = append(stopped, e.At)
		case "agent_started":
			started = append(started, e.At)
		}
	}
	require.Len(t, stopped, len(lives))
	require.GreaterOrEqual(t, len(started), len(lives))
	started = started[len(started)-len(lives):] // The first start ended no time in which it was down.
	for i, l := range lives {
		require.False(t, stopped[i].Before(at[l.newest]), "stop %d at %s, page %d was recorded at %s", i, stopped[i], l.newest, at[l.newest])
		require.False(t, stopped[i].After(l.killed), "stop %d at %s, killed at %s", i, stopped[i], l.killed)
		next := last
		if i+1 < len(lives) {
			next = lives[i+1].began
		}
		require.False(t, started[i].Before(next.Truncate(time.Millisecond)), "start %d at %s, begun at %s", i, started[i], next)
		if i+1 < len(lives) {
			require.True(t, started[i].Before(lives[i+1].killed))
		}
	}
}
