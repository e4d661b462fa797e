package fastframe

import (
	"unsafe"

	"fodc/messages"
)

// labels is a label set, of one series or several.
type labels struct {
	// fields are the encoded map entries, one after the other, in the order in which they first
	// came. No key is there twice. count is the number of entries.
	fields string
	count  int
	// text is the labels without the claimed ones. claimed is nil if there are none.
	text    messages.LabelText
	claimed *messages.LabelText
	// info is the info of text without a bound.
	info messages.InternedLabelInfo
}

// equal reports whether the entries are the same labels in any order.
func (l *labels) equal(entries [][]byte) bool {
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

// isPrefixOf reports whether b begins with the labels, in any order. The order in which they
// first came is found by one comparison.
func (l *labels) isPrefixOf(b []byte) bool {
	if len(b) < len(l.fields) {
		return false
	}
	b = b[:len(l.fields)]
	return string(b) == l.fields || l.rotated(b) || l.permuted(b)
}

// rotated reports whether b is the labels in the order in which they first came, but starting
// from another entry: that is how Go iterates over a small map.
func (l *labels) rotated(b []byte) bool {
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

// permuted reports whether b is the labels in any order.
func (l *labels) permuted(b []byte) bool {
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

// search finds entries among labels, each of them once.
type search struct {
	labels *labels
	taken  [messages.MaxSeriesLabels / 64]uint64
	// next is the offset of the entry after the one found last, index its index.
	next, index int
}

// take returns false if the entry is not among the labels, or was taken before.
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

// labelsOf returns the labels of the text, and adds them if they are new. The entries are those
// of the text.
func (c *seriesCache) labelsOf(text messages.LabelText, entries [][]byte) *labels {
	if l := c.labels[text]; l != nil {
		return l
	}
	var fields []byte
	for _, entry := range entries {
		fields = appendText(fields, tagLabels, entry)
	}
	l := &labels{fields: string(fields), count: len(entries), text: text}
	c.labels[text] = l
	c.bytes += int(unsafe.Sizeof(*l)) + len(l.fields) + 2*len(text) + mapEntryBytes
	l.splitClaimed(c)
	return l
}

// splitClaimed moves the identity labels from text to claimed. It leaves them if one of their
// names is not a legacy name: escaping must see all names of a series together.
func (l *labels) splitClaimed(c *seriesCache) {
	claimed, own := l.text.Split()
	if claimed != "" {
		if !claimed.HasLegacyNames() {
			return
		}
		// All series of a node have the same identity labels.
		l.claimed, l.text = c.claimedText(claimed), own
	}
	if l.info = messages.InternLabelInfo(l.text, ""); !l.info.IsZero() {
		l.text = l.info.Get().Text // the interned copy
	}
}

// claimedText returns the cache's copy of claimed labels.
func (c *seriesCache) claimedText(claimed messages.LabelText) *messages.LabelText {
	if cached, ok := c.claimed[claimed]; ok {
		return cached
	}
	c.claimed[claimed] = &claimed
	c.bytes += len(claimed) + mapEntryBytes
	return &claimed
}
