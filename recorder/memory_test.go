package recorder

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/codec"
	"fodc/recorder/recordertest"
)

// heapBytes is the size of all live objects on the heap.
func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// The size that the window counts is the size by which the heap grows.
func TestBytesAreReal(t *testing.T) {
	const tolerance = 0.15
	f := func(name string, fill func() *Window) {
		t.Run(name, func(t *testing.T) {
			before := heapBytes()
			w := fill()
			real := heapBytes() - before
			said := w.Stats().Bytes
			t.Logf("said %d, real %d: %+.1f %%", said, real, 100*(float64(said)/float64(real)-1))
			require.Greater(t, real, int64(300_000), "too little to be measured")
			require.InEpsilon(t, real, said, tolerance)
			runtime.KeepAlive(w)
		})
	}
	pages := recordertest.NewRepeatedNode(t, pagesDir)
	f("real pages", func() *Window { return record(t, Limits{}, 500, pages.Next) })
	walking := recordertest.NewWalkingNode(1_000)
	f("walking", func() *Window { return record(t, Limits{}, 200, walking.Next) })
	f("walking, evicted", func() *Window { return record(t, Limits{Bytes: 3 << 19}, 300, walking.Next) })
	f("few series for long", func() *Window {
		return record(t, Limits{}, 40_000, func() []byte { return []byte("a 1\nb 0.25\nc 12\n") })
	})
	f("many series at once", func() *Window {
		return record(t, Limits{}, 1, func() []byte { return []byte(gauges(0, 20_000)) })
	})
	f("lists of batches", func() *Window {
		w := NewWindow(Limits{chunkScrapes: 2})
		page := textPage(t, gauges(0, 5_000))
		for n := range 3 {
			w.AppendBatch(node, Scrape{At: at(n), Page: page})
		}
		return w
	})
	f("few families, long labels", func() *Window {
		return record(t, Limits{}, 3, func() []byte { return []byte(longLabels(2_000)) })
	})
	n := 0
	f("churn", func() *Window {
		return record(t, Limits{Bytes: 4 << 20}, 3_000, func() []byte {
			n++
			return []byte("stays 1\n" + gauges(20*n, 60))
		})
	})
	f("dropped", func() *Window {
		w := NewWindow(Limits{Bytes: 4 << 20})
		for n := range 60 {
			scrape(t, w, n, gauges(0, 3_000)+gauges(100_000+2_000*n, 2_000))
		}
		require.NotZero(t, w.Stats().DroppedNoRoom)
		return w
	})
	f("families", func() *Window {
		return record(t, Limits{}, 2, func() []byte { return []byte(manyFamilies(3_000)) })
	})
	f("targets", func() *Window {
		w := NewWindow(Limits{})
		page := textPage(t, gauges(0, 20))
		for n := range 300 {
			for i := range 50 {
				w.Append(Target{Name: fmt.Sprint(i), Labels: []messages.Label{{Name: "container_name", Value: fmt.Sprint(i)}}},
					Scrape{At: at(n), Page: page})
			}
		}
		return w
	})
	runtime.KeepAlive(pages)
	runtime.KeepAlive(walking)
}

func longLabels(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a{i=\"%d\",x=\"%s\"} 1\n", i, strings.Repeat("x", i%700))
	}
	return b.String()
}

func manyFamilies(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "# HELP f_%d The family number %d of quite a few.\n# TYPE f_%d counter\nf_%d %d\n", i, i, i, i, i)
	}
	return b.String()
}

// sizeOf is close to the size that Go's allocator gives.
func TestSizeOf(t *testing.T) {
	for n := 1; n < 100_000; n += 1 + n/50 {
		real := cap(append([]byte(nil), make([]byte, n)...))
		require.InEpsilon(t, real, sizeOf(n), 0.13, "%d bytes", n)
		require.GreaterOrEqual(t, sizeOf(n), int64(n))
	}
	require.Zero(t, sizeOf(0))
}

// The constants for the sizes of structs are the sizes of the compiler.
func TestSizes(t *testing.T) {
	f := func(said, real int64) {
		t.Helper()
		require.Equal(t, sizeOf(int(real)), said)
	}
	f(seriesBytes, int64(unsafe.Sizeof(series{})))
	f(headBytes, int64(unsafe.Sizeof(head{})))
	f(chunkBytes, int64(unsafe.Sizeof(chunk{})))
	f(seriesListBytes, int64(unsafe.Sizeof(seriesList{})))
	f(sizeOf(seriesListHeadBytes), int64(unsafe.Sizeof(SeriesList{})))
	require.EqualValues(t, columnBytes, unsafe.Sizeof(column{}))
	require.EqualValues(t, seriesKeyBytes, unsafe.Sizeof(SeriesKey{}))
	require.EqualValues(t, familyBytes, unsafe.Sizeof(Family{}))
	require.EqualValues(t, metaLineBytes, unsafe.Sizeof(metaLine{}))
	require.EqualValues(t, metaEntryBytes, unsafe.Sizeof(metaEntry{}))
	require.EqualValues(t, stringBytes, unsafe.Sizeof(""))
	require.LessOrEqual(t, unsafe.Sizeof(Event{}), uintptr(eventBytes))
	require.Greater(t, int64(targetBytes), int64(unsafe.Sizeof(target{})))
	require.Greater(t, int64(windowBytes), int64(unsafe.Sizeof(Window{}))+int64(4*codec.WordBits/8*defaultChunkScrapes))
}

// mapBytes is the size of a map, except where the map is about to grow.
func TestMapBytes(t *testing.T) {
	keys := make([]string, 20_000)
	for i := range keys {
		keys[i] = fmt.Sprint(i)
	}
	for _, n := range []int{8, 14, 20, 100, 500, 1_300, 3_000, 5_000, 20_000} {
		const maps = 10
		before := heapBytes()
		var all [maps]sizedMap[string, *series]
		for i := range all {
			all[i] = newSizedMap[string, *series](stringBytes + pointerBytes)
			for _, k := range keys[:n] {
				all[i].set(k, nil)
			}
		}
		real := heapBytes() - before
		require.InEpsilon(t, real, maps*all[0].bytes(), 0.2, "%d entries", n)
		for i := range all {
			for _, k := range keys[n/10 : n] {
				all[i].remove(k)
			}
			all[i].compact()
		}
		if n > 100 {
			require.Less(t, heapBytes()-before, real/3)
		}
		require.Len(t, all[0].entries, n/10)
		runtime.KeepAlive(all)
	}
	runtime.KeepAlive(keys)
}
