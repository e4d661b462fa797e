package blocks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"fodc/recorder/promstore"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"
	"github.com/prometheus/prometheus/util/annotations"
)

// Reader reads the blocks of a directory, as they were when it was opened. It writes nothing there.
// Blocks of the same time are read as one: of samples of one series and time, one counts. It may be
// used by many goroutines.
type Reader struct {
	dir string
	// blocks are sorted by their oldest time.
	blocks []*tsdb.Block
}

// Find returns the names of the blocks that are in a directory.
func Find(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if _, err := ulid.ParseStrict(e.Name()); err == nil && e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Open opens the blocks of a directory. The error names the one that is damaged, if one is, unless
// its samples are in another block, too. The reader must be closed.
func Open(dir string) (*Reader, error) {
	names, err := Find(dir)
	if err != nil {
		return nil, fmt.Errorf("list the blocks: %w", err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s has no blocks of a Prometheus database", dir)
	}
	r := &Reader{dir: dir}
	damaged, merged := map[string]error{}, map[string]bool{}
	for _, name := range names {
		b, err := tsdb.OpenBlock(nil, filepath.Join(dir, name), nil, nil)
		if err != nil {
			damaged[name] = err
			continue
		}
		r.blocks = append(r.blocks, b)
		for _, parent := range b.Meta().Compaction.Parents {
			merged[parent.ULID.String()] = true
		}
	}
	for _, name := range names {
		if err := damaged[name]; err != nil && !merged[name] {
			return nil, errors.Join(fmt.Errorf("block %s is damaged: %w; without it the others can be read", filepath.Join(dir, name), err), r.Close())
		}
	}
	slices.SortFunc(r.blocks, func(a, b *tsdb.Block) int { return cmp.Compare(a.MinTime(), b.MinTime()) })
	return r, nil
}

// Close waits for queriers to be closed, and closes the files.
func (r *Reader) Close() error {
	var err error
	for _, b := range r.blocks {
		err = errors.Join(err, b.Close())
	}
	return err
}

// Newest returns the time of the newest sample, in unix milliseconds. It is not ok if there is none.
func (r *Reader) Newest(ctx context.Context) (at int64, ok bool, err error) {
	at = math.MinInt64
	byEnd := slices.Clone(r.blocks)
	slices.SortFunc(byEnd, func(a, b *tsdb.Block) int { return cmp.Compare(b.MaxTime(), a.MaxTime()) })
	for _, b := range byEnd {
		if b.MaxTime() <= at { // A block ends before that.
			break
		}
		newest, err := newestOf(ctx, b)
		if err != nil {
			return 0, false, nameOf(b, err)
		}
		at = max(at, newest)
	}
	return at, at > math.MinInt64, nil
}

// newestOf returns when the newest chunk of a block ends.
func newestOf(ctx context.Context, b *tsdb.Block) (at int64, err error) {
	at = math.MinInt64
	r, err := b.Index()
	if err != nil {
		return at, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	name, value := index.AllPostingsKey()
	all, err := r.Postings(ctx, name, value)
	if err != nil {
		return at, err
	}
	var builder labels.ScratchBuilder
	var found []chunks.Meta
	for all.Next() {
		if err := r.Series(all.At(), &builder, &found); err != nil {
			return at, err
		}
		for _, c := range found {
			at = max(at, c.MaxTime)
		}
	}
	return at, all.Err()
}

// Metadata returns nothing: a block has neither the type nor the help of a family.
func (r *Reader) Metadata(context.Context, promstore.Options, string) ([]promstore.Metadata, annotations.Annotations, error) {
	return nil, nil, nil
}

// Queryable returns the samples. The options change nothing: blocks are there, or damaged.
func (r *Reader) Queryable(promstore.Options) storage.SampleAndChunkQueryable { return queryable{r} }
