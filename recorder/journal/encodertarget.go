package journal

import (
	"encoding/binary"
	"errors"
	"fmt"

	"fodc/recorder"
)

// encodedTarget is what an encoder knows of a target. Series and families have ids: they are
// counted from 0 in the order in which the segment defines them.
type encodedTarget struct {
	index     int
	ids       map[recorder.SeriesKey]int32
	families  map[string]int32
	described []recorder.Family
	front     frontCoding
	values    valueStates

	// list is that of the last batch, listIDs the ids of its keys. positions says where in its
	// last list a series is, by id; who uses it checks that it is still true.
	list               *recorder.SeriesList
	listIDs, positions []int32
	// members are the ids of the list, ascending; order says where in the list each is.
	members, order []int32
	// mostMembers is how many there were at most.
	mostMembers int

	clock   scrapeClock
	failure string
}

func newEncodedTarget(index int, created int64) *encodedTarget {
	return &encodedTarget{
		index:    index,
		ids:      make(map[recorder.SeriesKey]int32),
		families: make(map[string]int32),
		clock:    scrapeClock{last: created},
	}
}

// scrapeClock predicts the time of the next scrape of a target: as long after the last one as
// that was after the one before. All arithmetic is modulo 2^64.
type scrapeClock struct{ last, step int64 }

// set takes the time of a scrape, and returns by how much it is off the prediction.
func (c *scrapeClock) set(at int64) (off int64) {
	step := at - c.last
	off = step - c.step
	c.last, c.step = at, step
	return off
}

// add is the inverse of set.
func (c *scrapeClock) add(off int64) (at int64) {
	c.step += off
	c.last += c.step
	return c.last
}

// series counts those that are defined.
func (t *encodedTarget) series() int { return len(t.values.bits) }

func (t *encodedTarget) appendTime(dst []byte, at int64) []byte {
	return binary.AppendVarint(dst, t.clock.set(at))
}

func (t *encodedTarget) flags(failure string, change *membership) (flags byte) {
	set := func(flag byte, when bool) {
		if when {
			flags |= flag
		}
	}
	set(flagFailure, failure != "")
	set(flagFailureText, failure != "" && failure != t.failure)
	if change != nil {
		set(flagFamilies, len(change.families) > 0)
		set(flagSeries, change.series > 0)
		set(flagRemoved, len(change.removed) > 0)
		set(flagAdded, len(change.added) > 0)
	}
	return flags
}

// membership is how a list of series differs from the list before.
type membership struct {
	list *recorder.SeriesList
	// ids are those of the list's keys. The last so many are new.
	ids    []int32
	series int
	// fresh are the positions in the list of the series that are new, families those that are
	// new or have changed, with their ids.
	fresh    []int32
	families []definedFamily
	// text is the size of all texts that are defined.
	text int
	// members and order are as in encodedTarget. removed and added are without new series.
	members, order []int32
	removed, added []idRange
}

type definedFamily struct {
	id int32
	recorder.Family
}

var errDuplicateSeries = errors.New("a batch with a series twice")

// membershipOf compares a list with the last one. New series and families get their ids, which
// undo takes back.
func (t *encodedTarget) membershipOf(l *recorder.SeriesList) (*membership, error) {
	m := &membership{list: l, ids: make([]int32, len(l.Keys))}
	t.findSeries(m)
	t.findFamilies(m)
	if err := m.check(); err != nil {
		t.undo(m)
		return nil, err
	}
	if !t.sortMembers(m) {
		t.undo(m)
		return nil, errDuplicateSeries
	}
	known := m.members[:len(m.members)-m.series]
	m.removed, m.added = rangesWithout(t.members, known), rangesWithout(known, t.members)
	return m, nil
}

// findSeries sets the ids of the list. It walks along the last list, which mostly has the same
// series in the same order, and looks up only those that differ.
func (t *encodedTarget) findSeries(m *membership) {
	var old []recorder.SeriesKey
	if t.list != nil {
		old = t.list.Keys
	}
	at := 0
	for i, k := range m.list.Keys {
		if at < len(old) && old[at] == k {
			m.ids[i] = t.listIDs[at]
			at++
			continue
		}
		id, known := t.ids[k]
		if !known {
			id = int32(t.series() + m.series)
			t.ids[k] = id
			m.series++
			m.fresh = append(m.fresh, int32(i))
			m.text += len(k.Labels)
		} else if int(id) < len(t.positions) {
			if p := int(t.positions[id]); p < len(old) && t.listIDs[p] == id {
				at = p + 1
			}
		}
		m.ids[i] = id
	}
}

// sortMembers sets members and order. It returns false if a series is there twice.
func (t *encodedTarget) sortMembers(m *membership) bool {
	if more := t.series() + m.series - len(t.positions); more > 0 {
		t.positions = append(t.positions, make([]int32, more)...)
	}
	for i, id := range m.ids {
		t.positions[id] = int32(i)
	}
	m.members, m.order = make([]int32, 0, len(m.ids)), make([]int32, 0, len(m.ids))
	for id, position := range t.positions {
		if int(position) < len(m.ids) && m.ids[position] == int32(id) {
			m.members, m.order = append(m.members, int32(id)), append(m.order, position)
		}
	}
	return len(m.members) == len(m.ids)
}

// check returns an error for definitions that a decoder would not accept.
func (m *membership) check() error {
	for _, position := range m.fresh {
		k := m.list.Keys[position]
		if err := checkDefinition(k.Name, k.Labels); err != nil {
			return err
		}
		if k.Suffix > maxSuffix {
			return fmt.Errorf("a series with the unknown suffix %d", k.Suffix)
		}
	}
	for _, f := range m.families {
		if len(f.Help) > maxHelpBytes {
			return fmt.Errorf("family %q has a help of %d bytes, at most %d are allowed", f.Name, len(f.Help), maxHelpBytes)
		}
	}
	return nil
}

// findFamilies finds the families of the list that must be defined.
func (t *encodedTarget) findFamilies(m *membership) {
	seen := make([]bool, len(m.list.Families))
	for i, f := range m.list.FamilyOf {
		if seen[f] {
			continue
		}
		seen[f] = true
		family := m.list.Families[f]
		family.Name = m.list.Keys[i].Name
		id, known := t.families[family.Name]
		if known && int(id) < len(t.described) && t.described[id] == family {
			continue
		}
		if !known {
			id = int32(len(t.families))
			t.families[family.Name] = id
		}
		m.families = append(m.families, definedFamily{id, family})
		m.text += len(family.Name) + len(family.Help)
	}
}

// undo takes back what membershipOf has changed.
func (t *encodedTarget) undo(m *membership) {
	if m == nil {
		return
	}
	for _, position := range m.fresh {
		delete(t.ids, m.list.Keys[position])
	}
	for _, f := range m.families {
		if int(f.id) >= len(t.described) {
			delete(t.families, f.Name)
		}
	}
}

// appendChange appends what has changed, and makes it the state of the target.
func (t *encodedTarget) appendChange(dst []byte, m *membership) []byte {
	if len(m.families) > 0 {
		dst = binary.AppendUvarint(dst, uint64(len(m.families)))
		for _, f := range m.families {
			dst = binary.AppendUvarint(dst, uint64(f.id))
			if int(f.id) == len(t.described) {
				dst = t.front.appendName(dst, f.Name)
				t.described = append(t.described, f.Family)
			}
			dst = t.front.appendMetadata(dst, f.Family)
			t.described[f.id] = f.Family
		}
	}
	if m.series > 0 {
		dst = binary.AppendUvarint(dst, uint64(m.series))
		for _, position := range m.fresh {
			k := m.list.Keys[position]
			dst = t.front.appendSeries(dst, t.families[k.Name], k)
		}
		t.values.grow(m.series)
	}
	for _, ranges := range [][]idRange{m.removed, m.added} {
		if len(ranges) > 0 {
			dst = appendRanges(dst, ranges)
		}
	}
	t.list, t.listIDs, t.members, t.order = m.list, m.ids, m.members, m.order
	t.mostMembers = max(t.mostMembers, len(m.members))
	return dst
}
