package journal

import (
	"fmt"
	"slices"
)

type docTarget struct {
	name, failure string
	time, step    int64
	families      []docFamily
	series        []docSeries
	members       []int
	lastName      string
	lastHelp      string
	lastLabels    string
	lastFamily    int64
	// run is in 1/16.
	run int
}

type docFamily struct {
	name, help string
	kind       byte
}

type docSeries struct {
	family int
	suffix string
	labels string
	state  docState
}

func (d *docReader) readScrape(end int) {
	d.number += d.uvarint()
	d.field("number %d", d.number)
	target := d.uvarint()
	if target == 0 {
		d.targets = append(d.targets, &docTarget{name: d.text(), time: d.created})
		target = uint64(len(d.targets))
	}
	t := d.targets[target-1]
	d.field("target %q", t.name)
	t.step += d.varint()
	t.time += t.step
	d.field("time %d, %d after the last", t.time, t.step)
	flags := d.bytes(1)[0]
	if flags >= 64 {
		panic("unknown flags")
	}
	d.field("flags %d", flags)
	if flags&2 != 0 {
		t.failure = d.text()
		d.field("failure %q", t.failure)
	}
	failure := ""
	if flags&1 != 0 {
		failure = t.failure
	}
	if flags&4 != 0 {
		d.readFamilies(t)
	}
	known := len(t.series)
	if flags&8 != 0 {
		d.readSeries(t)
	}
	if flags&16 != 0 {
		for _, id := range d.readRanges("removed") {
			t.members = slices.DeleteFunc(t.members, func(m int) bool { return m == id })
		}
	}
	if flags&32 != 0 {
		t.members = append(t.members, d.readRanges("added")...)
	}
	for id := known; id < len(t.series); id++ {
		t.members = append(t.members, id)
	}
	slices.Sort(t.members)
	d.readValues(t, end)
	d.samples = append(d.samples, fmt.Sprintf("%d %s %d %q", d.number, t.name, t.time, failure))
	for _, id := range t.members {
		s := t.series[id]
		f := t.families[s.family]
		d.samples = append(d.samples, fmt.Sprintf("%s%s{%s} %016x type %d help %q", f.name, s.suffix, s.labels, s.state.bits, f.kind, f.help))
	}
}

func (d *docReader) shared(last *string) string {
	begin, end := int(d.uvarint()), int(d.uvarint())
	*last = (*last)[:begin] + d.text() + (*last)[len(*last)-end:]
	return *last
}

func (d *docReader) readFamilies(t *docTarget) {
	n := d.uvarint()
	d.field("%d families", n)
	for range n {
		id := int(d.uvarint())
		d.field("family %d", id)
		if id == len(t.families) {
			t.families = append(t.families, docFamily{name: d.shared(&t.lastName)})
			d.field("name %q", t.lastName)
		}
		f := &t.families[id]
		f.kind = d.bytes(1)[0]
		d.field("type %d", f.kind)
		f.help = d.shared(&t.lastHelp)
		d.field("help %q", f.help)
	}
}

func (d *docReader) readSeries(t *docTarget) {
	n := d.uvarint()
	d.field("%d series", n)
	for range n {
		field := d.uvarint()
		t.lastFamily += signed(field / 4)
		s := docSeries{family: int(t.lastFamily), suffix: []string{"", "_bucket", "_sum", "_count"}[field%4]}
		d.field("series %d: family %d, suffix %q", len(t.series), s.family, s.suffix)
		s.labels = d.shared(&t.lastLabels)
		s.state.scale = docNoScale
		d.field("labels {%s}", s.labels)
		t.series = append(t.series, s)
	}
}

func (d *docReader) readRanges(what string) (ids []int) {
	next := 0
	for range d.uvarint() {
		next += int(d.uvarint())
		for range d.uvarint() + 1 {
			ids = append(ids, next)
			next++
		}
	}
	d.field("%s: series %d", what, ids)
	return ids
}
