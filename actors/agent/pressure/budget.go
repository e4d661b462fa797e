package pressure

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// ErrNoRoom says that the limits leave no room, whatever is evicted.
var ErrNoRoom = errors.New("no room for pressure profiles")

// budget is the room in the directory while something is written.
type budget struct {
	root         *os.Root
	maxArtifacts int
	maxBytes     int64
	space        func() (free, total uint64, err error)
	minFree      float64

	artifacts []artifact // the oldest first
	ignored   int
	writing   int64 // bytes of the artifact that is being written
	reserve   int64 // bytes that it needs in the end
	evicted   int
}

func newBudget(root *os.Root, c Config, found contents) *budget {
	return &budget{root: root, maxArtifacts: c.MaxArtifacts, maxBytes: c.MaxBytes, space: c.Space, minFree: c.MinFree,
		artifacts: found.artifacts, ignored: found.ignored}
}

func (b *budget) bytes() int64 {
	sum := b.writing
	for _, a := range b.artifacts {
		sum += a.bytes
	}
	return sum
}

func (b *budget) usage() Usage {
	return Usage{Artifacts: len(b.artifacts), Bytes: b.bytes(), Ignored: b.ignored}
}

// first returns the artifact that is never evicted, by its index: the one that was captured when
// there was no other, else the oldest. It is -1 if there is none.
func (b *budget) first() int {
	marked := slices.IndexFunc(b.artifacts, func(a artifact) bool { return a.meta.First })
	if marked < 0 && len(b.artifacts) > 0 {
		return 0
	}
	return marked
}

// next returns the artifact that is evicted next: of those with the least resident memory the oldest.
func (b *budget) next() int {
	next, first := -1, b.first()
	for i, a := range b.artifacts {
		if i != first && (next < 0 || a.meta.RSSBytes < b.artifacts[next].meta.RSSBytes) {
			next = i
		}
	}
	return next
}

// grow makes room for so many bytes more, and counts them as written.
func (b *budget) grow(n int64) error {
	if err := b.fits(n); err != nil {
		return err
	}
	for b.bytes()+b.reserve+n > b.maxBytes {
		if err := b.evict(); err != nil {
			return err
		}
	}
	b.writing += n
	return nil
}

// fits returns an error if there is no room for so many bytes more, whatever is evicted.
func (b *budget) fits(n int64) error {
	if err := b.leavesFree(n); err != nil {
		return err
	}
	kept := int64(0)
	if first := b.first(); first >= 0 {
		kept = b.artifacts[first].bytes
	}
	if kept+b.writing+b.reserve+n > b.maxBytes {
		return fmt.Errorf("%w: the limit is %d bytes (--pressure-profiler-max-disk-bytes), of which the first ones, that are always kept, have %d",
			ErrNoRoom, b.maxBytes, kept)
	}
	return nil
}

// leavesFree returns an error if so many bytes more would leave too little of the file system free.
func (b *budget) leavesFree(n int64) error {
	if b.space == nil {
		return nil
	}
	free, total, err := b.space()
	if err != nil {
		return diskError(err)
	}
	if least := b.minFree * float64(total); float64(free)-float64(n) < least {
		return fmt.Errorf("%w: %d bytes of the file system are free, and %.0f are left free (--storage-min-free)", ErrNoRoom, free, least)
	}
	return nil
}

// shrink takes back bytes that were not written, or are there no more.
func (b *budget) shrink(n int64) { b.writing -= n }

// hasPlace returns an error if one more artifact cannot be, whatever is evicted.
func (b *budget) hasPlace() error {
	if len(b.artifacts) >= b.maxArtifacts && b.next() < 0 {
		return fmt.Errorf("%w: the first ones are always kept, and the limit is %d (--pressure-profiler-max-artifacts)", ErrNoRoom, b.maxArtifacts)
	}
	return nil
}

// makePlace evicts until one more artifact can be.
func (b *budget) makePlace() error {
	for len(b.artifacts) >= b.maxArtifacts {
		if err := b.evict(); err != nil {
			return err
		}
	}
	return nil
}

// enforce evicts what is over the limits. The first artifact stays, although it be over them alone.
func (b *budget) enforce() error {
	for (len(b.artifacts) > b.maxArtifacts || b.bytes() > b.maxBytes) && b.next() >= 0 {
		if err := b.evict(); err != nil {
			return err
		}
	}
	return nil
}

// evict removes the next artifact. It vanishes at once from all lists, and then from the disk.
func (b *budget) evict() error {
	next := b.next()
	if next < 0 {
		return ErrNoRoom
	}
	id := b.artifacts[next].meta.ProfileID
	if err := b.root.Rename(id, halfPrefix+id); err != nil {
		return diskError(err)
	}
	if err := b.root.RemoveAll(halfPrefix + id); err != nil {
		return diskError(err)
	}
	b.artifacts = slices.Delete(b.artifacts, next, next+1)
	b.evicted++
	return nil
}
