package recorder

import (
	"cmp"
	"encoding/binary"
	"iter"
	"slices"
	"strconv"
	"strings"

	"fodc/messages"
)

// Batcher makes batches of the blocks of answers again: what an answer with the times of all scrapes
// has of a window becomes the scrapes that it was recorded from, but for the texts of failures. It is
// for the answers of one node, and for one goroutine.
type Batcher struct {
	targets map[string]*batchedTarget
	number  int64
}

// NewBatcher returns a Batcher.
func NewBatcher() *Batcher { return &Batcher{targets: make(map[string]*batchedTarget)} }

// Batches yields the scrapes of an answer in the order of time, numbered from 1. See Batcher.Of.
func Batches(blocks []messages.Block) iter.Seq[*Batch] { return NewBatcher().Of(blocks) }

// Of yields the scrapes of an answer in the order of time. They have numbers that ascend from answer to
// answer, and share the list of their series while it does not change, or changes back, from answer to answer, too.
// Answers must be of windows that do not overlap.
//
// A scrape that has failed, or has given nothing, is one without samples. Of two samples of a series
// with the same time the one of the first block counts, as for a query. Blocks without the name of
// their target are taken for scrapes of one target if they have the same times: see IsUnnamedTarget.
func (b *Batcher) Of(blocks []messages.Block) iter.Seq[*Batch] {
	return func(yield func(*Batch) bool) {
		rows := b.rowsOf(blocks)
		for i := 0; i < len(rows); {
			end := i + 1
			for end < len(rows) && rows[end].target == rows[i].target && rows[end].at == rows[i].at {
				end++
			}
			b.number++
			if !yield(rows[i].target.batch(b.number, rows[i:end])) {
				return
			}
			i = end
		}
	}
}

// batchRow is one scrape in one block.
type batchRow struct {
	at     int64
	target *batchedTarget
	block  *batchBlock
	index  int // of the time
}

// batchBlock is a block whose series are known to its target.
type batchBlock struct {
	*messages.Block
	// ids are those of its series, in its order; values has a column for each.
	ids    []int32
	values [][]float64
}

// batchedTarget is what a Batcher knows of a target.
type batchedTarget struct {
	name  string
	order int // of targets, as they were met
	// families are all that were met; familyIDs are their indexes, named those of the first one of each name.
	families  []Family
	familyIDs map[Family]int32
	named     map[string]int32
	ids       map[batchedKey]int32
	all       []batchedSeries
	// seen has the number of the batch that has the sample of a series, by the first id of its key.
	seen []int64
	// lists are those of the newest batches, the newest first.
	lists   []batchedList
	scratch []int32
}

// keptLists is how many lists are remembered: series that come and go take turns with few others.
const keptLists = 3

// batchedList is a list with the ids of its keys.
type batchedList struct {
	list *SeriesList
	ids  []int32
}

// batchedKey is a series with its family, as one block describes it.
type batchedKey struct {
	family int32
	suffix messages.Suffix
	labels messages.LabelText
}

// batchedSeries is a series. Those that differ in their family alone have the same first one.
type batchedSeries struct {
	batchedKey
	first int32
}

// unnamedTarget begins the names of targets whose blocks have none. A real one is a URL or a word.
const unnamedTarget = "unnamed target "

// IsUnnamedTarget reports whether the name of a batch's target stands for blocks without one. Then
// nobody knows of scrapes in which a series was absent.
func IsUnnamedTarget(name string) bool { return strings.HasPrefix(name, unnamedTarget) }

func appendTimes(dst []byte, times []int64) []byte {
	for _, at := range times {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(at))
	}
	return dst
}

// rowsOf returns all scrapes of all blocks, in the order of time, then of the targets and the blocks.
func (b *Batcher) rowsOf(blocks []messages.Block) (rows []batchRow) {
	n := 0
	for i := range blocks {
		n += len(blocks[i].Times)
	}
	rows = make([]batchRow, 0, n)
	unnamed := make(map[string]string)
	var key []byte
	for i := range blocks {
		of := &blocks[i]
		name := of.Target
		if name == "" {
			key = appendTimes(key[:0], of.Times)
			known := false
			if name, known = unnamed[string(key)]; !known {
				name = unnamedTarget + strconv.Itoa(len(unnamed)+1)
				unnamed[string(key)] = name
			}
		}
		t := b.targetOf(name)
		block := t.blockOf(of)
		for k, at := range of.Times {
			rows = append(rows, batchRow{at, t, block, k})
		}
	}
	slices.SortStableFunc(rows, func(a, b batchRow) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.target.order, b.target.order))
	})
	return rows
}

func (b *Batcher) targetOf(name string) *batchedTarget {
	t := b.targets[name]
	if t == nil {
		t = &batchedTarget{name: name, order: len(b.targets), familyIDs: make(map[Family]int32), named: make(map[string]int32), ids: make(map[batchedKey]int32)}
		b.targets[name] = t
	}
	return t
}

// blockOf finds the series of a block.
func (t *batchedTarget) blockOf(of *messages.Block) *batchBlock {
	n := 0
	for i := range of.Families {
		n += len(of.Families[i].Series)
	}
	b := &batchBlock{Block: of, ids: make([]int32, 0, n), values: make([][]float64, 0, n)}
	for f := range of.Each() {
		family := t.familyOf(Family{Name: f.Name, Type: f.Type, Help: f.Help})
		for i := range f.Series {
			s := f.At(i)
			if s.Suffix > messages.SuffixCount || len(s.Values) != len(of.Times) {
				continue
			}
			b.ids = append(b.ids, t.idOf(batchedKey{family, s.Suffix, s.AllLabels()}))
			b.values = append(b.values, s.Values)
		}
	}
	return b
}

func (t *batchedTarget) familyOf(f Family) int32 {
	id, known := t.familyIDs[f]
	if known {
		return id
	}
	id = int32(len(t.families))
	t.familyIDs[f], t.families = id, append(t.families, f)
	if _, known := t.named[f.Name]; !known {
		t.named[f.Name] = id
	}
	return id
}

func (t *batchedTarget) idOf(k batchedKey) int32 {
	id, known := t.ids[k]
	if known {
		return id
	}
	first := noSeries
	if named := t.named[t.families[k.family].Name]; named != k.family {
		first = t.idOf(batchedKey{named, k.suffix, k.labels})
	}
	id = int32(len(t.all))
	if first == noSeries {
		first = id
	}
	t.ids[k], t.all, t.seen = id, append(t.all, batchedSeries{k, first}), append(t.seen, 0)
	return id
}

// noSeries is the id of none.
const noSeries = int32(-1)

// batch makes the batch of a scrape that some blocks have.
func (t *batchedTarget) batch(number int64, rows []batchRow) *Batch {
	ids, most := t.scratch[:0], 0
	for _, r := range rows {
		most += len(r.block.ids)
	}
	values := make([]float64, 0, most)
	for _, r := range rows {
		for i, id := range r.block.ids {
			v := r.block.values[i][r.index]
			first := t.all[id].first
			if messages.IsGap(v) || t.seen[first] == number {
				continue
			}
			t.seen[first] = number
			ids, values = append(ids, id), append(values, v)
		}
	}
	t.scratch = ids
	return &Batch{Number: number, Target: t.name, At: rows[0].at, Series: t.newestList(ids), Values: values}
}

// newestList returns the list of some series, as the newest one: one that is remembered, or else a new one.
func (t *batchedTarget) newestList(ids []int32) *SeriesList {
	at := slices.IndexFunc(t.lists, func(l batchedList) bool { return slices.Equal(l.ids, ids) })
	if at < 0 {
		at = min(len(t.lists), keptLists-1)
		t.lists = append(t.lists[:at], batchedList{t.listOf(ids), slices.Clone(ids)})
	}
	newest := t.lists[at]
	copy(t.lists[1:], t.lists[:at])
	t.lists[0] = newest
	return newest.list
}

// listOf returns the list of some series. If they describe a family differently, the first one counts.
func (t *batchedTarget) listOf(ids []int32) *SeriesList {
	l := &SeriesList{Keys: make([]SeriesKey, len(ids)), FamilyOf: make([]int32, len(ids))}
	families := make(map[int32]int32)
	for i, id := range ids {
		s := &t.all[id]
		named := t.named[t.families[s.family].Name]
		f, known := families[named]
		if !known {
			f = int32(len(l.Families))
			families[named] = f
			l.Families = append(l.Families, t.families[s.family])
		}
		l.Keys[i], l.FamilyOf[i] = SeriesKey{t.families[named].Name, s.suffix, s.labels}, f
	}
	return l
}
