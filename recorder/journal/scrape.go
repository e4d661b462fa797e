package journal

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"fodc/recorder"
)

// scrape is a scrape as it was recorded.
type scrape struct {
	number, at int64
	target     *decodedTarget
	failure    string
	// members are the ids of the series that have a sample, ascending, values their values. Values
	// that were not decoded are not there.
	members []int32
	values  []float64
}

// decodedTarget is a target as the records up to the current one define it. All but what its
// name and the lists of its series and families have now is its scanner's.
type decodedTarget struct {
	// index counts the targets of the segment, from 0.
	index int
	name  string
	// keys are the series by id, familyOf has the index in families of each one's family.
	// Entries of keys and familyOf never change; those of families do, if a page says another
	// type or help than before. Then redefined goes up.
	keys      []recorder.SeriesKey
	familyOf  []int32
	families  []recorder.Family
	redefined int
	// isWanted says that a family of the target is wanted. isSkipped says that values of the target
	// were not decoded, so that those behind them cannot be.
	isWanted, isSkipped bool

	front   frontCoding
	states  valueStates
	members []int32
	// changes counts how often the members have changed.
	changes int
	clock   scrapeClock
	failure string
}

// scrapeDecoder decodes the scrapes of a segment, from the first one on.
type scrapeDecoder struct {
	created int64
	// wanted says whether the samples of a family are wanted; nil: all are. Values of a target that
	// has no such family yet are not decoded.
	wanted  func(family string) bool
	targets []*decodedTarget
	totals
	current scrape
	// removed, added and merged are reused.
	removed, added, merged []int32
}

var errScrape = errors.New("a scrape that cannot be read")

// errSkipped says that the values of a scrape cannot be decoded, because those before it were not.
var errSkipped = errors.New("the values before it are needed")

// scrape decodes the body of a scrape. It must have room for valuePadding bytes more. Last is
// the number of the scrape before.
func (d *scrapeDecoder) scrape(data []byte, last int64, skipValues bool) (*scrape, error) {
	b := body{left: data}
	c := &d.current
	number := uint64(last) + b.uvarint()
	if number <= uint64(last) || number > math.MaxInt64 {
		return nil, errScrape
	}
	c.number = int64(number)
	t, err := d.findTarget(&b)
	if err != nil {
		return nil, err
	}
	c.target = t
	c.at = t.clock.add(b.varint())
	flags := b.byte()
	if flags&^knownFlags != 0 {
		return nil, fmt.Errorf("a scrape with unknown flags %#x", flags)
	}
	if flags&flagFailureText != 0 {
		t.failure = b.text(maxFailureBytes)
	}
	c.failure = ""
	if flags&flagFailure != 0 {
		c.failure = t.failure
	}
	if err := d.change(&b, t, flags); err != nil {
		return nil, err
	}
	if b.bad {
		return nil, errScrape
	}
	c.members = t.members
	switch {
	case skipValues:
	case d.wanted != nil && !t.isWanted:
		c.values, t.isSkipped = c.values[:0], t.isSkipped || len(c.members) > 0
	case t.isSkipped:
		return nil, errSkipped
	default:
		c.values = slices.Grow(c.values[:0], len(c.members))[:len(c.members)]
		if !t.states.decode(c.values, b.left, c.members) {
			return nil, errors.New("a scrape whose values cannot be read")
		}
	}
	return c, nil
}

// findTarget reads the target, and adds it if it is new.
func (d *scrapeDecoder) findTarget(b *body) (*decodedTarget, error) {
	n := b.number(len(d.targets))
	if b.bad {
		return nil, errScrape
	}
	if n > 0 {
		return d.targets[n-1], nil
	}
	name := b.text(maxTargetNameBytes)
	if b.bad {
		return nil, errScrape
	}
	if len(d.targets) == maxTargets {
		return nil, fmt.Errorf("more than %d targets", maxTargets)
	}
	t := &decodedTarget{index: len(d.targets), name: name, clock: scrapeClock{last: d.created}}
	d.targets = append(d.targets, t)
	return t, nil
}

// change reads what the flags say that has changed.
func (d *scrapeDecoder) change(b *body, t *decodedTarget, flags byte) error {
	if flags&flagFamilies != 0 {
		if err := d.defineFamilies(b, t); err != nil {
			return err
		}
	}
	known := len(t.keys)
	if flags&flagSeries != 0 {
		if err := d.defineSeries(b, t); err != nil {
			return err
		}
	}
	d.removed, d.added = d.removed[:0], d.added[:0]
	if flags&flagRemoved != 0 {
		d.removed = b.ranges(d.removed, known)
	}
	if flags&flagAdded != 0 {
		d.added = b.ranges(d.added, known)
	}
	if len(d.removed)+len(d.added) > 0 {
		if !d.mergeMembers(t) {
			return errScrape
		}
	}
	for id := known; id < len(t.keys); id++ {
		t.members = append(t.members, int32(id))
	}
	if len(d.removed)+len(d.added) > 0 || len(t.keys) > known {
		t.changes++
	}
	return nil
}

func (d *scrapeDecoder) defineFamilies(b *body, t *decodedTarget) error {
	const bytesOfFamily = 5
	for range b.count(maxFamilies, bytesOfFamily) {
		id := b.number(len(t.families))
		if id == len(t.families) && !b.bad {
			d.families++
			name := t.front.readName(b)
			t.families = append(t.families, recorder.Family{Name: name})
			t.isWanted = t.isWanted || d.wanted == nil || d.wanted(name)
			if err := checkDefinition(name, ""); err != nil && !b.bad {
				return err
			}
		} else {
			t.redefined++
		}
		if b.bad {
			return errScrape
		}
		f := &t.families[id]
		t.front.readMetadata(b, f)
		d.text += len(f.Name) + len(f.Help)
		if !d.fit() {
			return errOverLimit
		}
	}
	return nil
}

var errOverLimit = errors.New("it defines more than a segment may")

func (d *scrapeDecoder) defineSeries(b *body, t *decodedTarget) error {
	const bytesOfSeries = 4
	for range b.count(maxSeries, bytesOfSeries) {
		family, k := t.front.readSeries(b, len(t.families))
		if b.bad {
			return errScrape
		}
		d.series++
		d.text += len(k.Labels)
		if !d.fit() {
			return errOverLimit
		}
		k.Name = t.families[family].Name
		if err := checkDefinition(k.Name, k.Labels); err != nil {
			return err
		}
		t.keys, t.familyOf = append(t.keys, k), append(t.familyOf, family)
	}
	t.states.grow(len(t.keys) - len(t.states.bits))
	return nil
}

// mergeMembers applies removed and added to the members. It returns false if a series that is
// removed is none, or one that is added is one already.
func (d *scrapeDecoder) mergeMembers(t *decodedTarget) bool {
	merged, removed, added := d.merged[:0], d.removed, d.added
	for _, id := range t.members {
		for len(added) > 0 && added[0] < id {
			merged, added = append(merged, added[0]), added[1:]
		}
		if len(added) > 0 && added[0] == id {
			return false
		}
		if len(removed) > 0 && removed[0] == id {
			removed = removed[1:]
			continue
		}
		merged = append(merged, id)
	}
	merged = append(merged, added...)
	d.merged, t.members = t.members, merged
	return len(removed) == 0
}
