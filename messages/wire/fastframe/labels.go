package fastframe

import (
	"unsafe"

	"fodc/messages"
)

// labels is the labels of one series or more.
type labels struct {
	// fields are the entries as Go encodes them, one behind the other, no key twice, in the
	// order in which they came first. count is how many there are.
	fields string
	count  int
	// text is the labels, but for those that are claimed where claimed is not nil.
	text    messages.LabelText
	claimed *messages.LabelText
	// known is what is known of text, without a bound.
	known messages.KnownLabels
}

// are reports whether the entries are the labels: each entry is one of them, none is
// there twice, and none is missing.
func (l *labels) are(entries [][]byte) bool {
	if len(entries) != l.count {
		return false
	}
	s := search{labels: l}
	for _, entry := range entries {
		if !s.take(entry) {
			return false
		}
	}
	return true
}

// begin reports whether b begins with the labels. Their order is the one that they had
// first, which is found as a whole, or any other.
func (l *labels) begin(b []byte) bool {
	if len(b) < len(l.fields) {
		return false
	}
	b = b[:len(l.fields)]
	return string(b) == l.fields || l.turned(b) || l.mixed(b)
}

// turned reports whether b is the labels in the order that they had first, but beginning
// with another: that is how Go writes a map of a few.
func (l *labels) turned(b []byte) bool {
	f := l.fields
	for at := 0; at < len(f); {
		// Most entries differ in how long they are, or in how their keys begin.
		if b[1] == f[at+1] && b[4] == f[at+4] && string(b[:len(f)-at]) == f[at:] && string(b[len(f)-at:]) == f[:at] {
			return true
		}
		_, end := fieldBounds(f[at:])
		at += end
	}
	return false
}

// mixed reports whether b is the labels in any order: so many, and none twice.
func (l *labels) mixed(b []byte) bool {
	s := search{labels: l}
	count := 0
	for ; len(b) > 0; count++ {
		from, end := textBounds(b)
		if end == 0 || uint64(b[0]) != tagLabels || !s.take(b[from:end]) {
			return false
		}
		b = b[end:]
	}
	return count == l.count
}

// search finds entries among labels, each once.
type search struct {
	labels *labels
	taken  [messages.MaxSeriesLabels / 64]uint64
	// next is where the entry begins that is behind the one found last, index which it is.
	next, index int
}

// take returns false if the entry is not one of the labels, or has been taken.
func (s *search) take(entry []byte) bool {
	fields := s.labels.fields
	for range s.labels.count {
		if s.next == len(fields) {
			s.next, s.index = 0, 0
		}
		from, end := fieldBounds(fields[s.next:])
		i, same := s.index, fields[s.next+from:s.next+end] == string(entry)
		s.next, s.index = s.next+end, i+1
		if same {
			first := s.taken[i/64]&(1<<(i%64)) == 0
			s.taken[i/64] |= 1 << (i % 64)
			return first
		}
	}
	return false
}

// labelsOf returns the labels of the text, which are added if they are not known. The
// entries are those of the text.
func (d *dictionary) labelsOf(text messages.LabelText, entries [][]byte) *labels {
	if l := d.labels[text]; l != nil {
		return l
	}
	var fields []byte
	for _, entry := range entries {
		fields = appendText(fields, tagLabels, entry)
	}
	l := &labels{fields: string(fields), count: len(entries), text: text}
	d.labels[text] = l
	d.bytes += int(unsafe.Sizeof(*l)) + len(l.fields) + 2*len(text) + mapEntryBytes
	l.part(d)
	return l
}

// part parts the labels, unless names of both parts would have to be mended together
// for readers who want plain ones.
func (l *labels) part(d *dictionary) {
	claimed, own := l.text.Split()
	if claimed != "" {
		if !claimed.HasPlainNames() {
			return
		}
		// All of a node's series say the same of the node.
		l.claimed, l.text = d.claim(claimed), own
	}
	if l.known = messages.KnowLabels(l.text, ""); !l.known.IsZero() {
		l.text = l.known.Facts().Text // of which there is one copy
	}
}

// claim returns the claimed labels as they are kept.
func (d *dictionary) claim(claimed messages.LabelText) *messages.LabelText {
	if shared, known := d.claims[claimed]; known {
		return shared
	}
	d.claims[claimed] = &claimed
	d.bytes += len(claimed) + mapEntryBytes
	return &claimed
}
