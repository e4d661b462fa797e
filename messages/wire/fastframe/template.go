package fastframe

import (
	"unsafe"

	"fodc/messages"
	"fodc/messages/wire"
)

// template is the last frame that was an instant vector. Most frames have the same series in
// the same order, with other values. Such a frame is compared with the template and costs no
// look-up of its series. The parts lie in arrays in the order of the frame, which is kind to
// the processor's caches.
type template struct {
	families []*family // of the vector, each with its series of then
	runs     []templateRun
	labels   []*labels // of each series
	// answerFamilies is what all answers share that match the template, nil before the first
	// of them. textBytes is the length of their texts.
	answerFamilies []messages.Family
	textBytes      int
}

// templateRun is consecutive series that differ in their labels only.
type templateRun struct {
	name   string
	family *family
	kind   wire.MetricType
	end    int // the index after its last series
}

func (t *template) bytes() int {
	const pointer = int(unsafe.Sizeof(t))
	return pointer*(len(t.families)+len(t.labels)) + int(unsafe.Sizeof(templateRun{}))*cap(t.runs) +
		int(unsafe.Sizeof(messages.Family{}))*len(t.families)
}

// setTemplate makes the vector the template, unless some of its series are not in the cache.
func (c *seriesCache) setTemplate(v *vector) {
	c.clearTemplate()
	if c.bytes >= maxCacheBytes {
		return
	}
	for i, one := range v.families {
		if len(one.family.lastSeries) != len(v.seriesOf(i)) {
			return
		}
	}
	t := template{families: make([]*family, len(v.families)), labels: make([]*labels, len(v.series))}
	for i, one := range v.families {
		t.families[i] = one.family
	}
	for i, s := range v.series {
		t.labels[i] = s.labels
		n := len(t.runs)
		if n == 0 || t.runs[n-1].family != s.family || t.runs[n-1].name != s.name {
			t.runs = append(t.runs, templateRun{name: s.name, family: s.family, kind: s.kind})
			n++
		}
		t.runs[n-1].end = i + 1
	}
	c.template = t
	c.bytes += t.bytes()
}

func (c *seriesCache) clearTemplate() {
	c.bytes -= c.template.bytes()
	c.template = template{}
}

// readSample reads b as a sample of the template's i-th series. run is the index of the run of
// the sample before; readSample moves it on. ok is false if b is a sample of another series.
func (t *template) readSample(b []byte, i int, run *int) (value float64, at timestamp, ok bool) {
	if i == len(t.labels) {
		return 0, at, false
	}
	if i == t.runs[*run].end {
		*run++
	}
	of := &t.runs[*run]
	value, at, ok = encodedSeries{of.name, t.labels[i], of.family.helpField, of.kind}.readSample(b)
	return value, at, ok && !messages.IsGap(value)
}

// prefetch is the values of a frame's first samples, as far as they match the template and say
// no time of their own. The frame's head is at its end, so Open has to walk all samples. It
// reads their values on the way: a second walk over a large frame costs nearly as much again,
// since the frame does not fit the processor's caches.
type prefetch struct {
	// values become the answer's. If nobody wants it, the next frame reuses them.
	values []float64
	run    int // the template's run of the last sample
}

// prefetchSamples reads the first samples of a frame. It returns how many bytes they take.
func (d *Decoder) prefetchSamples(b []byte) (read int) {
	p := &d.prefetch
	p.values, p.run = p.values[:0], 0
	if d.cache == nil || len(d.cache.template.labels) == 0 {
		return 0
	}
	t := &d.cache.template
	if p.values == nil {
		p.values = make([]float64, 0, min(len(t.labels), len(b)/bytesOfValue))
	}
	for read < len(b) && uint64(b[read]) == tagMetrics {
		from, end := textBounds(b[read:])
		if end == 0 {
			break
		}
		value, at, ok := t.readSample(b[read+from:read+end], len(p.values), &p.run)
		if !ok || at.there {
			break
		}
		p.values = append(p.values, value)
		read += end
	}
	return read
}

// beginVector begins the vector of a frame with the samples that were prefetched. It returns
// the rest of the frame.
func (r *reader) beginVector(f Frame) (rest []byte) {
	v := &r.vector
	v.matching = len(r.cache.template.labels) > 0
	if !v.matching || f.prefetched == 0 || f.number != r.opened {
		v.values = make([]float64, 0, min(f.metrics, r.vectorSamples))
		return f.bytes
	}
	v.at, v.values, v.run = r.at, r.prefetch.values, r.prefetch.run
	// The values are the answer's now. The frame may be asked for again: then it is read anew.
	r.opened++
	r.prefetch = prefetch{}
	return f.bytes[f.prefetched:]
}

// matchTemplate reads the next sample if its series is the one that the template has next. It
// returns false otherwise, and if the sample's time differs from the vector's.
func (r *reader) matchTemplate(b []byte) bool {
	v := &r.vector
	if !v.matching {
		return false
	}
	value, stamp, ok := r.cache.template.readSample(b, len(v.values), &v.run)
	at, valid := r.timeOf(stamp)
	if !ok || !valid || len(v.values) > 0 && at != v.at {
		r.leaveTemplate()
		return false
	}
	v.at, v.values = at, append(v.values, value)
	return true
}

// leaveTemplate turns a vector that has matched the template so far into one with a list of
// its series, because the next sample differs.
func (r *reader) leaveTemplate() {
	v := &r.vector
	if !v.matching {
		return
	}
	v.matching = false
	values := v.values
	v.values = v.values[:0]
	for _, f := range r.cache.template.families {
		for _, s := range f.lastSeries {
			n := len(v.values)
			if n == len(values) {
				return
			}
			r.appendToVector(s, values[n], f.help)
			r.last = s
		}
	}
}

// templateBlock returns the block of a vector that matches the whole template.
func (r *reader) templateBlock() []messages.Block {
	v := &r.vector
	r.vectorSamples, r.used = len(v.values), len(v.values)
	families, textBytes := r.cache.templateFamilies()
	return []messages.Block{{Times: []int64{v.at}, Families: families, Values: v.values, TextBytes: textBytes}}
}

// templateFamilies returns the families that answers share which match the template. It drops
// the template if a help has changed and the new one did not fit into the cache.
func (c *seriesCache) templateFamilies() (families []messages.Family, textBytes int) {
	t := &c.template
	if t.answerFamilies != nil {
		return t.answerFamilies, t.textBytes
	}
	families = make([]messages.Family, len(t.families))
	cached := true
	for i, f := range t.families {
		m := &families[i]
		m.Name, m.Type, m.Help = f.name, f.kind, f.help
		c.setSeries(m, f, f.lastSeries)
		textBytes += m.TextBytes()
		cached = cached && len(f.lastSeries) > 0
	}
	if t.answerFamilies, t.textBytes = families, textBytes; !cached {
		c.clearTemplate()
	}
	return families, textBytes
}
