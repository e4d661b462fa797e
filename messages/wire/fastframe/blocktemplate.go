package fastframe

import (
	"encoding/binary"
	"math"
	"slices"

	"fodc/messages"

	"google.golang.org/protobuf/encoding/protowire"
)

// blockTemplate is the families of a block in their order. All of them are defined and valid.
// Most answers have the same blocks as the last one with other values, and share its families.
type blockTemplate struct {
	slots []uint32
	*familyList
}

// blockTemplates are those of the last answer. No family is in two of them, so they take no
// more than the definitions do.
type blockTemplates struct {
	all []blockTemplate
	// next is the index of the template of the next block of the answer in progress.
	next int
}

// expected returns the template that the next block is likely to match, nil if there is none.
func (t *blockTemplates) expected() *blockTemplate {
	if t.next < len(t.all) {
		return &t.all[t.next]
	}
	return nil
}

// record keeps the template of a block that was read.
func (t *blockTemplates) record(one blockTemplate) {
	if t.next < len(t.all) {
		t.all[t.next] = one
	} else {
		t.all = append(t.all, one)
	}
	t.next++
}

// endAnswer drops the templates of blocks that the answer did not have.
func (t *blockTemplates) endAnswer() {
	clear(t.all[t.next:])
	t.all, t.next = t.all[:t.next], 0
}

// blockFamilies is the families of a block while it is read.
type blockFamilies struct {
	times int
	// template is what the block has matched so far, nil if it matches none. matched is the
	// number of families that have matched, values their values.
	template *blockTemplate
	matched  int
	values   []float64
	// own are the families of a block that matches no template. slots are theirs.
	own   []messages.Family
	slots []uint32
	// irregular says that own cannot become a template.
	irregular bool
}

// beginFamilies begins a block that is so many bytes long.
func (r *reader) beginFamilies(times, bytes int) {
	b := &r.families
	*b = blockFamilies{times: times, slots: b.slots[:0], irregular: r.dictionary == 0}
	t := r.definitions.templates.expected()
	if b.irregular || t == nil || t.series*times > bytes/bytesOfValue {
		return
	}
	b.template, b.values = t, r.valueBuffer.alloc(t.series*times)
}

// allocValues returns an empty slice for n values of the next family. While the block matches
// its template the values lie where the whole block's values are.
func (r *reader) allocValues(n int) []float64 {
	b := &r.families
	if used := len(b.values); b.template != nil && used+n <= cap(b.values) {
		return b.values[used : used : used+n]
	}
	return r.valueBuffer.alloc(n)
}

// matchBlock reads a family that matches the template, in the form in which agents send
// it: its values and its slot. It returns false, and has read nothing, for any other family.
func (r *reader) matchBlock(family []byte) bool {
	b := &r.families
	if b.template == nil || b.matched == len(b.template.slots) || len(family) == 0 || uint64(family[0]) != tagValues {
		return false
	}
	from, end := textBounds(family) // both 0 if there are very many values
	if end == len(family) || uint64(family[end]) != tagSlot {
		return false
	}
	slot, n := protowire.ConsumeVarint(family[end+1:])
	if n != len(family)-end-1 || slot != uint64(b.template.slots[b.matched]) {
		return false
	}
	d := &r.definitions.families[slot-1]
	if d.answer == r.definitions.answers || end-from != d.columns*b.times*bytesOfValue {
		return false
	}
	d.answer = r.definitions.answers
	for values := family[from:end]; len(values) > 0; values = values[bytesOfValue:] {
		b.values = append(b.values, math.Float64frombits(binary.LittleEndian.Uint64(values)))
	}
	b.matched++
	return true
}

// add adds the family that was read into the columns, by its definition.
func (r *reader) add(d *definition) {
	b, c := &r.families, &r.columns
	regular := d.rejects == nil && d.columns > 0 && len(c.values) == d.columns*b.times
	if t := b.template; t != nil {
		if regular && b.matched < len(t.slots) && t.slots[b.matched] == c.slot {
			b.values = append(b.values, c.values...)
			b.matched++
			return
		}
		b.leaveTemplate()
	}
	f, any := r.family(d, b.times)
	if !any {
		b.irregular = true
		return
	}
	b.own = append(b.own, f)
	b.slots = append(b.slots, c.slot)
	b.irregular = b.irregular || !regular || c.slot == 0
}

// leaveTemplate turns the families that have matched into the block's own, because the next
// one differs.
func (b *blockFamilies) leaveTemplate() {
	t, values := b.template, b.values
	b.template = nil
	b.own = slices.Clone(t.families[:b.matched])
	for i := range b.own {
		n := len(b.own[i].Series) * b.times
		b.own[i].Values, values = values[:n:n], values[n:]
	}
	b.slots = append(b.slots, t.slots[:b.matched]...)
}

// endFamilies returns the block.
func (r *reader) endFamilies(times []int64) messages.Block {
	b := &r.families
	if b.template != nil && b.matched < len(b.template.slots) {
		b.leaveTemplate()
	}
	if t := b.template; t != nil {
		r.definitions.templates.record(*t)
		return messages.Block{Times: times, Families: t.families, Values: b.values, TextBytes: t.textBytes}
	}
	if !b.irregular && len(b.own) > 0 && !r.lost {
		r.definitions.templates.record(blockTemplate{slices.Clone(b.slots), newFamilyList(b.own)})
	}
	return messages.Block{Times: times, Families: b.own}
}
