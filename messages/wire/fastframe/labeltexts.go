package fastframe

import (
	"bytes"
	"unicode/utf8"
	"unsafe"

	"fodc/messages"
)

// checkedText is a label text of a columnar family after its check.
type checkedText struct {
	text messages.LabelText
	// err is set if the text is invalid.
	err       error
	sanitized bool
	// cached is nil if the text is not in the cache.
	cached *cachedText
}

// textCache has the valid label texts of columnar families without a definition.
type textCache struct {
	texts map[string]*cachedText
	last  *cachedText
	first *cachedText
	bytes int
	used  int
}

type cachedText struct {
	text messages.LabelText
	// info is the text's info for the bound that was last asked for.
	info  messages.InternedLabelInfo
	bound string
	// next is the text that followed this one in the frame before.
	next *cachedText
}

// begin begins a frame. A cache that is full, mostly with texts that the frame before did not
// have, is emptied.
func (c *textCache) begin() {
	if c.texts == nil || c.bytes >= maxCacheBytes && 2*c.used < len(c.texts) {
		*c = textCache{texts: map[string]*cachedText{}}
	}
	c.last, c.used = nil, 0
}

// check checks a label text, and adds it to the cache. ok is false if the frame is broken.
func (c *textCache) check(b []byte) (_ checkedText, ok bool) {
	next := c.first
	if c.last != nil {
		next = c.last.next
	}
	if next == nil || string(next.text) != string(b) {
		b = withoutEmpty(b)
		if next = c.texts[string(b)]; next == nil {
			checked, ok := checkText(b)
			if !ok || checked.err != nil || checked.sanitized || c.bytes >= maxCacheBytes {
				return checked, ok
			}
			label := checked.text
			next = &cachedText{text: label, info: messages.InternLabelInfo(label, "")}
			if !next.info.IsZero() {
				next.text = next.info.Get().Text // the interned copy
			}
			c.texts[string(next.text)] = next
			c.bytes += len(label) + int(unsafe.Sizeof(*next)) + mapEntryBytes
		}
	}
	if c.last == nil {
		c.first = next
	} else {
		c.last.next = next
	}
	c.last = next
	c.used++
	return checkedText{text: next.text, cached: next}, true
}

// infoFor returns the text's info for a series with the bound. The zero info of a nil text
// stands for "not computed".
func (t *cachedText) infoFor(boundName string) messages.InternedLabelInfo {
	if t == nil {
		return messages.InternedLabelInfo{}
	}
	if boundName != "" && t.bound != boundName {
		t.bound, t.info = boundName, messages.InternLabelInfo(t.text, boundName)
	}
	return t.info
}

// withoutEmpty returns the text without labels that have an empty value: they are no labels.
func withoutEmpty(b []byte) []byte {
	if !bytes.Contains(b, []byte(`=""`)) || !utf8.Valid(b) {
		return b
	}
	return []byte(messages.LabelText(b).WithoutEmpty())
}

// checkText checks a label text. ok is false if the frame is broken.
func checkText(b []byte) (_ checkedText, ok bool) {
	if !utf8.Valid(b) {
		return checkedText{}, false
	}
	label := messages.LabelText(withoutEmpty(b))
	if err := messages.CheckLabelText(label); err != nil {
		sanitized, ok := messages.SanitizeLabelText(label)
		if ok {
			return checkedText{text: sanitized, sanitized: true}, true
		}
		return checkedText{err: err}, true
	}
	return checkedText{text: label}, true
}
