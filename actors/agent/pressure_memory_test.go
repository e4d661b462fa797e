package agent

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors/agent/nodeconfig"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// memoryPage is what a target's scrape shows: lines of a name and values.
func memoryPage(families map[string][]float64) messages.Block {
	b := messages.Block{Times: []int64{1}}
	for name, values := range families {
		b.Families = append(b.Families, messages.Family{Name: name, Series: make([]messages.Series, len(values)), Values: values})
	}
	return b
}

func TestMergeMemory(t *testing.T) {
	page := func(resident, limit float64) messages.Block {
		return memoryPage(map[string][]float64{residentMetric: {resident}, limitMetric: {limit}})
	}
	resident := func(values ...float64) messages.Block {
		return memoryPage(map[string][]float64{residentMetric: values})
	}
	gone := errors.New("no process")
	f := func(process processMemory, wantResident, wantLimit uint64, blocks ...messages.Block) {
		t.Helper()
		m, err := mergeMemory(process, blocks)
		require.NoError(t, err)
		require.Equal(t, nodeMemory{wantResident, wantLimit}, m)
	}
	f(processMemory{500, 1000, nil}, 500, 1000)
	f(processMemory{500, 1000, nil}, 500, 800, page(300, 800)) // the node sees a limit that the agent does not
	f(processMemory{500, 1000, nil}, 500, 1000, page(300, 1200))
	f(processMemory{500, 1000, nil}, 500, 800, page(0, 800))
	f(processMemory{500, 1000, nil}, 500, 800, page(300, 800), page(0, 900))
	f(processMemory{500, 0, nil}, 500, 800, page(300, 800))
	f(processMemory{0, 1000, gone}, 300, 800, page(300, 800))
	f(processMemory{0, 1000, gone}, 300, 1000, resident(300))
	f(processMemory{0, 0, gone}, 300, 800, page(300, 800))
	f(processMemory{0, 1000, gone}, 400, 1000, resident(300, 400))
	f(processMemory{0, 1000, gone}, 400, 1000, resident(300), resident(400), resident(200))
	f(processMemory{0, 1000, gone}, 300, 800, resident(400), page(300, 800), resident(500))
	f(processMemory{0, 1000, gone}, 310, 900, page(300, 800), page(310, 900))
	f(processMemory{0, 1000, gone}, 300, 1000, page(300, 0))
	f(processMemory{0, 1000, gone}, 300, 1000, page(300, math.NaN()))
	f(processMemory{0, 1000, gone}, 300, 1000, page(300, math.Inf(1)))
	f(processMemory{0, 1000, gone}, 300, 1000, page(300, 1<<63))

	bad := func(process processMemory, want string, blocks ...messages.Block) {
		t.Helper()
		_, err := mergeMemory(process, blocks)
		require.ErrorContains(t, err, want)
		if process.err != nil && !strings.Contains(want, "limit") {
			require.ErrorIs(t, err, process.err)
		}
	}
	bad(processMemory{0, 1000, gone}, "no process; and no endpoint of the node shows process_resident_memory_bytes")
	bad(processMemory{0, 1000, nil}, "no resident memory")
	bad(processMemory{0, 1000, gone}, "no process", resident(math.NaN()), resident(-1), resident(math.Inf(1)), resident(0))
	bad(processMemory{0, 0, gone}, "the limit of the node's memory is not known", resident(300))
	bad(processMemory{500, 0, nil}, "the limit of the node's memory is not known")
}

// The node's own page is read from the recorder, as long as it is scraped.
func TestMemoryOfThePage(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.node.serve("# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes 3e+08\n"+
			"# TYPE banyandb_memory_protector_cgroup_limit_bytes gauge\nbanyandb_memory_protector_cgroup_limit_bytes 4e+08\n", nil)
		w.run()
		m := newMemoryReader(w.sys, w.agent.recorder, nodeconfig.Config{Process: "there is none"})
		read := func() (nodeMemory, error) {
			ctx, cancel := context.WithTimeout(t.Context(), memoryTimeout)
			defer cancel()
			return m.read(ctx)
		}
		got, err := read()
		require.NoError(t, err)
		require.Equal(t, nodeMemory{300_000_000, 400_000_000}, got)
		w.node.serve("", errors.New("refused"))
		w.pass(10 * time.Second)
		_, err = read()
		require.ErrorContains(t, err, "no endpoint of the node shows")
	})
}

// A process whose files hang leaves the page, and is not read a second time meanwhile.
func TestMemoryOfAProcessThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang, reads := make(chan struct{}), atomic.Int32{}
		m := &memoryReader{process: func(time.Time) (uint64, uint64, error) {
			reads.Add(1)
			<-hang
			return 500, 1000, nil
		}, page: func(context.Context) []messages.Block {
			return []messages.Block{memoryPage(map[string][]float64{residentMetric: {300}, limitMetric: {800}})}
		}}
		read := func() nodeMemory {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), memoryTimeout)
			defer cancel()
			got, err := m.read(ctx)
			require.NoError(t, err)
			require.NoError(t, ctx.Err())
			return got
		}
		for range 3 {
			require.Equal(t, nodeMemory{300, 800}, read())
		}
		require.EqualValues(t, 1, reads.Load())
		close(hang)
		synctest.Wait()
		require.Equal(t, nodeMemory{500, 800}, read())
		require.EqualValues(t, 2, reads.Load())
	})
}
