package proxy

import (
	"hash/maphash"
	"slices"

	"fodc/messages"
)

var seriesSeed = maphash.MakeSeed()

// seriesCount counts the series of one answer over all of its frames.
type seriesCount struct {
	count int
	// seen has the hashes of the counted series of a window: 8 bytes each instead of label
	// texts, which may be long. It is nil for the latest values.
	seen map[uint64]struct{}
}

// admit drops the series over the limit from the blocks, which it changes, and returns how
// many it has dropped. The first series are kept.
//
// An answer with the latest values has each series once, so series are counted without
// comparing them: one that is sent twice counts twice. In a window a series comes once for
// each block, so there it is recognized by its hash.
func (s *seriesCount) admit(blocks []messages.Block, limit int, latest bool) (kept []messages.Block, tooMany int) {
	if n := countSeries(blocks); latest && s.count+n <= limit {
		s.count += n
		return blocks, 0
	}
	kept = blocks[:0]
	for i := range blocks {
		b := &blocks[i]
		if len(b.Families) == 0 { // It has times of scrapes.
			kept = append(kept, *b)
			continue
		}
		b.Unshare()
		for j := range b.Families {
			f := &b.Families[j]
			before := len(f.Series)
			f.Series = slices.DeleteFunc(f.Series, func(x messages.Series) bool { return !s.admitSeries(f.Name, &x, limit, latest) })
			tooMany += before - len(f.Series)
		}
		b.Families = slices.DeleteFunc(b.Families, func(f messages.Family) bool { return len(f.Series) == 0 })
		if len(b.Families) > 0 {
			kept = append(kept, *b)
		}
	}
	clear(blocks[len(kept):])
	return kept, tooMany
}

func (s *seriesCount) admitSeries(family string, x *messages.Series, limit int, latest bool) bool {
	if latest {
		if s.count >= limit {
			return false
		}
		s.count++
		return true
	}
	type name struct {
		family  string
		suffix  messages.Suffix
		labels  messages.LabelText
		claimed messages.LabelText
	}
	key := name{family: family, suffix: x.Suffix, labels: x.Labels}
	if x.Claimed != nil {
		key.claimed = *x.Claimed
	}
	hash := maphash.Comparable(seriesSeed, key)
	if _, known := s.seen[hash]; known {
		return true
	}
	if len(s.seen) >= limit {
		return false
	}
	if s.seen == nil {
		s.seen = map[uint64]struct{}{}
	}
	s.seen[hash] = struct{}{}
	return true
}

func countSeries(blocks []messages.Block) (n int) {
	for i := range blocks {
		b := &blocks[i]
		if b.Values != nil {
			n += len(b.Values) / len(b.Times)
			continue
		}
		for j := range b.Families {
			n += len(b.Families[j].Series)
		}
	}
	return n
}

// withoutScrapeTimes removes the blocks without families, and the targets of the others. It changes
// the blocks, and returns how many it has removed.
func withoutScrapeTimes(blocks []messages.Block) (kept []messages.Block, removed int) {
	for i := range blocks {
		blocks[i].Target = ""
	}
	kept = slices.DeleteFunc(blocks, func(b messages.Block) bool { return len(b.Families) == 0 })
	return kept, len(blocks) - len(kept)
}
