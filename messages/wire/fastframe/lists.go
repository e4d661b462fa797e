package fastframe

import (
	"encoding/binary"
	"math"
	"slices"

	"fodc/messages"

	"google.golang.org/protobuf/encoding/protowire"
)

// list is the families of a block, in its order, all of them described and without flaws.
// Most answers have the blocks of the last one with other values, and the families in
// common with it.
type list struct {
	slots []uint32
	*familyList
}

// lists are those of the last answer. All their families are different ones, so that they
// are no more than were described.
type lists struct {
	all []list
	// at is how many the answer in progress has had.
	at int
}

// likely is the list that the next block is likely to have, nil if there is none.
func (l *lists) likely() *list {
	if l.at < len(l.all) {
		return &l.all[l.at]
	}
	return nil
}

// had takes note of a block with the list. It is the likely one, or replaces it.
func (l *lists) had(one list) {
	if l.at < len(l.all) {
		l.all[l.at] = one
	} else {
		l.all = append(l.all, one)
	}
	l.at++
}

// end ends an answer: what it did not have is forgotten.
func (l *lists) end() {
	clear(l.all[l.at:])
	l.all, l.at = l.all[:l.at], 0
}

// blockFamilies is the families of a block as they are read.
type blockFamilies struct {
	times int
	// list is what the block repeats so far, nil if it does not; repeated is how many of its
	// families have come, values those of them.
	list     *list
	repeated int
	values   []float64
	// own are the families where the block repeats no list, and slots theirs, as long as
	// they may become a list.
	own   []messages.Family
	slots []uint32
	odd   bool
}

// beginFamilies begins a block of so many bytes.
func (r *reader) beginFamilies(times, bytes int) {
	b := &r.families
	*b = blockFamilies{times: times, slots: b.slots[:0], odd: r.dictionary == 0}
	l := r.slots.lists.likely()
	if b.odd || l == nil || l.series*times > bytes/bytesOfValue {
		return
	}
	b.list, b.values = l, r.room.take(l.series*times)
}

// roomFor returns an empty slice for n values of the next family.
func (r *reader) roomFor(n int) []float64 {
	b := &r.families
	if behind := len(b.values); b.list != nil && behind+n <= cap(b.values) {
		return b.values[behind : behind : behind+n] // They stay where they are if the block repeats its list.
	}
	return r.room.take(n)
}

// repeat takes a family that repeats its list, as most do, in the form in which they are
// sent: values, and the slot. It returns false for any other, of which it takes nothing.
func (r *reader) repeat(family []byte) bool {
	b := &r.families
	if b.list == nil || b.repeated == len(b.list.slots) || len(family) == 0 || uint64(family[0]) != tagValues {
		return false
	}
	from, end := textBounds(family) // 0, where a tag of values is, if there are very many
	if end == len(family) || uint64(family[end]) != tagSlot {
		return false
	}
	slot, n := protowire.ConsumeVarint(family[end+1:])
	if n != len(family)-end-1 || slot != uint64(b.list.slots[b.repeated]) {
		return false
	}
	d := &r.slots.families[slot-1]
	if d.answer == r.slots.answers || end-from != d.columns*b.times*bytesOfValue {
		return false
	}
	d.answer = r.slots.answers
	for values := family[from:end]; len(values) > 0; values = values[bytesOfValue:] {
		b.values = append(b.values, math.Float64frombits(binary.LittleEndian.Uint64(values)))
	}
	b.repeated++
	return true
}

// add adds the family that was read into the columns, as it was described.
func (r *reader) add(d *described) {
	b, c := &r.families, &r.columns
	sound := d.flaws == nil && d.columns > 0 && len(c.values) == d.columns*b.times
	if l := b.list; l != nil {
		if sound && b.repeated < len(l.slots) && l.slots[b.repeated] == c.slot {
			b.values = append(b.values, c.values...)
			b.repeated++
			return
		}
		b.deviate()
	}
	f, any := r.family(d, b.times)
	if !any {
		b.odd = true
		return
	}
	b.own = append(b.own, f)
	b.slots = append(b.slots, c.slot)
	b.odd = b.odd || !sound || c.slot == 0
}

// deviate makes the families that have come the block's own, as the next one is another
// than the list has.
func (b *blockFamilies) deviate() {
	l, values := b.list, b.values
	b.list = nil
	b.own = slices.Clone(l.families[:b.repeated])
	for i := range b.own {
		n := len(b.own[i].Series) * b.times
		b.own[i].Values, values = values[:n:n], values[n:]
	}
	b.slots = append(b.slots, l.slots[:b.repeated]...)
}

// endFamilies returns the block.
func (r *reader) endFamilies(times []int64) messages.Block {
	b := &r.families
	if b.list != nil && b.repeated < len(b.list.slots) {
		b.deviate()
	}
	if l := b.list; l != nil {
		r.slots.lists.had(*l)
		return messages.Block{Times: times, Families: l.families, Values: b.values, TextBytes: l.textBytes}
	}
	if !b.odd && len(b.own) > 0 && !r.lost {
		r.slots.lists.had(list{slices.Clone(b.slots), newFamilyList(b.own)})
	}
	return messages.Block{Times: times, Families: b.own}
}
