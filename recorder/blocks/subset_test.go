package blocks

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"fodc/recorder/blocks/blockstest"
)

// writeTestBlocks writes a block of each hour, of three series.
func writeTestBlocks(t *testing.T, dir string, ranges ...int64) {
	t.Helper()
	for _, r := range ranges {
		l, err := newLayer(dir)
		require.NoError(t, err)
		for _, name := range []string{"a", "b", "c"} {
			for i := range int64(200) {
				v := float64(i)
				if i == 100 {
					v = math.Float64frombits(0x7ff0000000000002) // A staleness marker.
				}
				_, err := l.append(0, labels.FromStrings(model.MetricNameLabel, name, "node_id", "n"), hour12+r*rangeMillis+i*10_000, v)
				require.NoError(t, err)
			}
		}
		require.NoError(t, l.flush(t.Context()))
		require.NoError(t, l.close())
	}
}

func TestSubset(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	writeTestBlocks(t, dir, 0, 1)
	r, damaged, _ := OpenDirs([]string{dir}, 10)
	require.Empty(t, damaged)
	defer r.Close()
	n, err := r.WriteSubset(t.Context(), out, func(l labels.Labels) bool { return l.Get(model.MetricNameLabel) != "b" })
	require.NoError(t, err)
	require.Equal(t, 4, n)
	each := 0
	require.NoError(t, r.Each(t.Context(), 1000, func(_ labels.Labels, times []int64, values []float64) error {
		require.Len(t, values, 400)
		require.Equal(t, hour12+rangeMillis, times[200])
		each++
		return nil
	}))
	require.Equal(t, 3, each)
	require.NoError(t, r.Each(t.Context(), 70, func(_ labels.Labels, times []int64, values []float64) error {
		require.Len(t, values, 70)
		require.Equal(t, hour12+rangeMillis+(199*10*time.Second).Milliseconds(), times[69])
		require.Equal(t, float64(199), values[69])
		return nil
	}))
	all, _ := blockstest.Read(t, dir)
	some, metas := blockstest.Read(t, out)
	require.Len(t, metas, 2)
	require.Len(t, some, 2*len(all)/3)
	for p := range some {
		require.Contains(t, all, p)
	}
	n, err = r.WriteSubset(t.Context(), filepath.Join(out, "none"), func(labels.Labels) bool { return false })
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoDirExists(t, filepath.Join(out, "none"))
}

// TestOpenDirs: a directory or a block that cannot be read costs no other one.
func TestOpenDirs(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	writeTestBlocks(t, a, 1)
	writeTestBlocks(t, b, 0, 2)
	names, err := Find(b)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(b, names[1], "index"), []byte("x"), 0o600))
	r, damaged, leftOut := OpenDirs([]string{a, filepath.Join(a, "missing"), b}, 10)
	require.Len(t, damaged, 2)
	require.Equal(t, filepath.Join(b, names[1]), damaged[1].Dir)
	require.Zero(t, leftOut)
	from, to, ok := r.Bounds()
	require.True(t, ok)
	require.Equal(t, hour12, from)
	require.Equal(t, hour12+rangeMillis+(199*10*time.Second).Milliseconds(), to)
	require.NoError(t, r.Close())

	r, _, leftOut = OpenDirs([]string{a, b}, 1)
	require.Len(t, r.blocks, 1)
	require.Positive(t, leftOut)
	require.NoError(t, r.Close())
	_, _, ok = (&Reader{}).Bounds()
	require.False(t, ok)
}
