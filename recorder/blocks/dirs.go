package blocks

import (
	"cmp"
	"path/filepath"
	"slices"

	"github.com/prometheus/prometheus/tsdb"
)

// Damaged is a block that cannot be read.
type Damaged struct {
	// Dir is that of the block, or that in which blocks were looked for.
	Dir string
	Err error
}

// OpenDirs opens the blocks of several directories as one reader, at most as many as are given: of more, those of the
// last directories are left out, and counted. What cannot be read costs that block alone.
func OpenDirs(dirs []string, most int) (r *Reader, damaged []Damaged, leftOut int) {
	var all []string
	for _, dir := range dirs {
		names, err := Find(dir)
		if err != nil {
			damaged = append(damaged, Damaged{dir, err})
			continue
		}
		for _, name := range names {
			all = append(all, filepath.Join(dir, name))
		}
	}
	r, unread, leftOut := OpenBlocks(all, most)
	return r, append(damaged, unread...), leftOut
}

// OpenBlocks is OpenDirs for the directories of blocks themselves.
func OpenBlocks(dirs []string, most int) (r *Reader, damaged []Damaged, leftOut int) {
	r = &Reader{}
	for _, dir := range dirs {
		if len(r.blocks) >= most {
			leftOut++
			continue
		}
		b, err := tsdb.OpenBlock(nil, dir, nil, nil)
		if err != nil {
			damaged = append(damaged, Damaged{dir, err})
			continue
		}
		r.blocks = append(r.blocks, b)
	}
	slices.SortStableFunc(r.blocks, func(a, b *tsdb.Block) int { return cmp.Compare(a.MinTime(), b.MinTime()) })
	return r, damaged, leftOut
}

// Bounds returns the times between which the samples are, in unix milliseconds, both included. They are not ok if there
// are no blocks.
func (r *Reader) Bounds() (from, to int64, ok bool) {
	for i, b := range r.blocks {
		if i == 0 {
			from, to = b.MinTime(), b.MaxTime()-1
		}
		from, to = min(from, b.MinTime()), max(to, b.MaxTime()-1)
	}
	return from, to, len(r.blocks) > 0
}
