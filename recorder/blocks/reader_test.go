package blocks

import (
	"context"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/blocks/blockstest"
	"fodc/recorder/promstore"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"
)

var anySeries = labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, ".+")

// readAll returns all samples of a series set.
func readAll(t require.TestingT, set storage.SeriesSet) (map[blockstest.Point]int, error) {
	points := map[blockstest.Point]int{}
	before := ""
	for set.Next() {
		s := set.At()
		name := s.Labels().String()
		require.NotEqual(t, before, name, "a series is there twice")
		before = name
		it := s.Iterator(nil)
		for it.Next() == chunkenc.ValFloat {
			at, v := it.At()
			points[blockstest.Point{Series: name, At: at, Bits: math.Float64bits(v)}]++
		}
		if err := it.Err(); err != nil {
			return points, err
		}
	}
	return points, set.Err()
}

// requireReads fails the test unless the reader has each of the samples once, whichever way it is
// asked.
func requireReads(t require.TestingT, want map[blockstest.Point]int, r *Reader) {
	of := r.Queryable(promstore.Options{})
	q, err := of.Querier(math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	got, err := readAll(t, q.Select(context.Background(), true, nil, anySeries))
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, q.Close())

	c, err := of.ChunkQuerier(math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	got, err = readAll(t, storage.NewSeriesSetFromChunkSeriesSet(c.Select(context.Background(), true, nil, anySeries)))
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, c.Close())

	newest := int64(math.MinInt64)
	for p := range want {
		newest = max(newest, p.At)
	}
	at, ok, err := r.Newest(context.Background())
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, newest, at)
}

// writeBlocks writes ranges of a series each of which has samples at the offsets, and returns the
// directory.
func writeBlocks(t *testing.T, ranges int, offsets ...int64) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "blocks")
	w, n := NewWriter(dir, Options{}), node("n")
	for i := range ranges {
		for _, at := range offsets {
			b := blockOf([]int64{hour12 + int64(i)*rangeMillis + at}, familyOf("x", messages.TypeGauge, seriesOf(`a="1"`, float64(i)), seriesOf(`a="2"`, float64(at))))
			require.NoError(t, w.Append(n, &b))
		}
		require.NoError(t, w.Flush(t.Context()))
	}
	return dir
}

func TestReaderSelects(t *testing.T) {
	dir := writeBlocks(t, 3, 0, 10_000, 5_000) // The last one is in a block of its own.
	r, err := Open(dir)
	require.NoError(t, err)
	defer r.Close()
	require.Len(t, r.blocks, 6)
	f := func(want int, mint, maxt int64, m ...*labels.Matcher) {
		t.Helper()
		q, err := r.Queryable(promstore.Options{}).Querier(mint, maxt)
		require.NoError(t, err)
		defer q.Close()
		points, err := readAll(t, q.Select(t.Context(), true, nil, m...))
		require.NoError(t, err)
		require.Len(t, points, want)
	}
	second := hour12 + rangeMillis
	f(18, math.MinInt64, math.MaxInt64, anySeries)
	f(6, second, second+10_000, anySeries)
	f(3, second, second+10_000, labels.MustNewMatcher(labels.MatchEqual, "a", "2"))
	f(2, second+1, second+5_000, anySeries)
	f(0, second+10_001, second+20_000, anySeries)
	f(0, 0, hour12-1, anySeries)

	q, err := r.Queryable(promstore.Options{}).Querier(math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	defer q.Close()
	values, _, err := q.LabelValues(t.Context(), "a", nil)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2"}, values)
	names, _, err := q.LabelNames(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"__name__", "a", "node_id", "node_role"}, names)
	at, ok, err := r.Newest(t.Context())
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, second+rangeMillis+10_000, at)
}

// listing is the files of a directory with their sizes and times.
func listing(t *testing.T, dir string) (files []string) {
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		files = append(files, name+" "+info.ModTime().Format(time.RFC3339Nano)+" "+info.Mode().String())
		return nil
	}))
	return files
}

func TestReaderWritesNothing(t *testing.T) {
	dir := writeBlocks(t, 2, 0)
	before := listing(t, dir)
	r, err := Open(dir)
	require.NoError(t, err)
	_, _, err = r.Newest(t.Context())
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.Equal(t, before, listing(t, dir))
}

func TestNoBlocks(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir)
	require.EqualError(t, err, dir+" has no blocks of a Prometheus database")
	_, err = Open(filepath.Join(dir, "gone"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	// Neither of them is a block.
	require.NoError(t, os.WriteFile(filepath.Join(dir, ulid.Make().String()), nil, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, ulid.Make().String()+".tmp-for-creation"), 0o700))
	names, err := Find(dir)
	require.NoError(t, err)
	require.Empty(t, names)
}

func TestDamagedBlockIsNamed(t *testing.T) {
	f := func(damage func(block string)) {
		t.Helper()
		dir := writeBlocks(t, 2, 0)
		names, err := Find(dir)
		require.NoError(t, err)
		block := filepath.Join(dir, names[1])
		damage(block)
		_, err = Open(dir)
		require.ErrorContains(t, err, "block "+block+" is damaged: ")
		require.ErrorContains(t, err, "; without it the others can be read")
		require.NoError(t, os.RemoveAll(block))
		r, err := Open(dir)
		require.NoError(t, err)
		require.NoError(t, r.Close())
	}
	f(func(block string) { require.NoError(t, os.Remove(filepath.Join(block, "meta.json"))) })
	f(func(block string) {
		require.NoError(t, os.WriteFile(filepath.Join(block, "meta.json"), []byte("{"), 0o600))
	})
	f(func(block string) { require.NoError(t, os.Truncate(filepath.Join(block, "index"), 30)) })
	f(func(block string) { require.NoError(t, os.Truncate(filepath.Join(block, "chunks", "000001"), 5)) })
	f(func(block string) { require.NoError(t, os.RemoveAll(filepath.Join(block, "chunks"))) })
}

// A damaged block that a process had left when it merged it into another one costs nothing.
func TestDamagedBlockThatIsMerged(t *testing.T) {
	dir := writeBlocks(t, 1, 0, 10_000, 5_000)
	names, err := Find(dir)
	require.NoError(t, err)
	require.Len(t, names, 2)
	compactor, err := tsdb.NewLeveledCompactor(t.Context(), nil, nil, []int64{rangeMillis}, nil, nil)
	require.NoError(t, err)
	_, err = compactor.Compact(dir, []string{filepath.Join(dir, names[0]), filepath.Join(dir, names[1])}, nil)
	require.NoError(t, err)
	want, _ := blockstest.Read(t, dir)
	for p := range want {
		want[p] = 1
	}
	f := func() {
		t.Helper()
		r, err := Open(dir)
		require.NoError(t, err)
		defer r.Close()
		requireReads(t, want, r)
	}
	f()
	require.NoError(t, os.Truncate(filepath.Join(dir, names[0], "index"), 30))
	f()
}

// Whatever byte of a block is wrong: there is an error that names the block, or the samples are
// right. Only the times in its metadata are not protected.
func TestDamageIsAnErrorOrHarmless(t *testing.T) {
	dir := writeBlocks(t, 1, 0, 10_000, 20_000)
	names, err := Find(dir)
	require.NoError(t, err)
	block := filepath.Join(dir, names[0])
	want, _ := blockstest.Read(t, dir)
	failed, kept := 0, 0
	for _, file := range []string{"index", filepath.Join("chunks", "000001"), "tombstones"} {
		file = filepath.Join(block, file)
		whole, err := os.ReadFile(file)
		require.NoError(t, err)
		for i := range whole {
			broken := append([]byte(nil), whole...)
			broken[i] ^= 0x55
			require.NoError(t, os.WriteFile(file, broken, 0o600))
			got, err := readBlocks(t, dir)
			if err != nil {
				require.ErrorContains(t, err, names[0])
				failed++
				continue
			}
			require.Equal(t, want, got, "byte %d of %s", i, file)
			kept++
		}
		require.NoError(t, os.WriteFile(file, whole, 0o600))
	}
	t.Logf("%d bytes are an error, %d harmless", failed, kept)
	require.Positive(t, failed)
}

func readBlocks(t *testing.T, dir string) (map[blockstest.Point]int, error) {
	r, err := Open(dir)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	q, err := r.Queryable(promstore.Options{}).Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	return readAll(t, q.Select(t.Context(), true, nil, anySeries))
}
