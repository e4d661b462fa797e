package modes

import (
	"flag"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

var reconnectCount = flag.Int("reconnects", 400, "how often TestReconnectsLeaveNothing cuts the connection")

// footing is what a cluster stands on: what must not grow.
type footing struct {
	goroutines []string                // what they were started for, sorted
	actors     [][]messages.KindCounts // by system
	untracked  []string
	open       int // connections
}

func (w *cluster) footing() footing {
	f := footing{goroutines: bubbleGoroutines(), open: len(w.net.open)}
	for _, sys := range w.systems() {
		f.actors = append(f.actors, sys.Counts().Kinds)
		f.untracked = append(f.untracked, sys.Untracked()...)
	}
	return f
}

// bubbleGoroutines returns what the goroutines of the bubble were started for.
func bubbleGoroutines() []string {
	stacks := make([]byte, 8<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var all []string
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		head, _, _ := strings.Cut(stack, "\n")
		_, by, ok := strings.Cut(stack, "\ncreated by ")
		if ok && strings.Contains(head, "synctest bubble") {
			by, _, _ = strings.Cut(by, " in goroutine")
			all = append(all, by)
		}
	}
	slices.Sort(all)
	return all
}

// registryPlaces is how many objects a reconnect may leave: an id that is new can take
// a place of its own in the runtime's registry, until all of those, some ten thousand,
// are taken. A reconnect makes seven: a session, an uplink, and five questions, of which
// one is the test's.
const registryPlaces = 7

// heapObjects counts what is reachable.
func heapObjects() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapObjects)
}

// TestReconnectsLeaveNothing fails if a reconnect leaves anything behind, on either
// side: a goroutine, an actor, a question, a connection; a timer, which would come to
// an actor that is gone, and whatever else can be reached.
func TestReconnectsLeaveNothing(t *testing.T) {
	reconnects := *reconnectCount
	inCluster(t, 1, func(t *testing.T, w *cluster) {
		w.requireFresh()
		w.pass(2 * time.Minute)
		before := w.footing()
		objects := 0
		for n := range reconnects {
			require.Equal(t, 1, w.net.cut())
			w.pass(clusterReconnect + time.Second)
			require.Equal(t, map[string]messages.Status{"n0": messages.StatusOnline}, w.statuses(), "after cut %d", n)
			if n == reconnects/2 {
				objects = heapObjects()
			}
		}
		grown := float64(heapObjects()-objects) / float64(reconnects/2)
		t.Logf("%.2f objects a reconnect are left on the heap", grown)
		require.Less(t, grown, registryPlaces+0.5)
		w.pass(10 * time.Minute)
		after := w.footing()
		require.Equal(t, before.open, after.open)
		require.Equal(t, len(before.untracked), len(after.untracked))
		require.Equal(t, before, after)
		for _, sys := range w.systems() {
			require.Zero(t, sys.Counts().DeadLetters)
			require.Zero(t, sys.Counts().LateReplies)
		}
		w.requireFresh()
	})
}
