package fastframe

import (
	"unicode/utf8"
	"unsafe"

	"fodc/messages"
)

// checkedText is a label text, with what is wrong with it, or whether it was mended.
type checkedText struct {
	text   messages.LabelText
	err    error
	mended bool
	// known is nil for what is not kept in texts.
	known *text
}

// texts is the label texts that are known. All are valid.
type texts struct {
	known map[string]*text
	last  *text
	first *text
	bytes int
	used  int
}

type text struct {
	text messages.LabelText
	// found is what is known of the text for the bound that was last asked for.
	found messages.KnownLabels
	bound string
	// follower came behind this one the last time.
	follower *text
}

// begin makes room for a frame, as Decoder.begin does.
func (t *texts) begin() {
	if t.known == nil || t.bytes >= maxKnownBytes && 2*t.used < len(t.known) {
		*t = texts{known: map[string]*text{}}
	}
	t.last, t.used = nil, 0
}

// check returns the label text, or what is wrong with it. ok is false if it is broken.
func (t *texts) check(b []byte) (_ checkedText, ok bool) {
	next := t.first
	if t.last != nil {
		next = t.last.follower
	}
	if next == nil || string(next.text) != string(b) {
		if next = t.known[string(b)]; next == nil {
			checked, ok := checkText(b)
			if !ok || checked.err != nil || checked.mended || t.bytes >= maxKnownBytes {
				return checked, ok
			}
			label := checked.text
			next = &text{text: label, found: messages.KnowLabels(label, "")}
			if !next.found.IsZero() {
				next.text = next.found.Facts().Text // of which there is one copy
			}
			t.known[string(next.text)] = next
			t.bytes += len(label) + int(unsafe.Sizeof(*next)) + mapEntryBytes
		}
	}
	if t.last == nil {
		t.first = next
	} else {
		t.last.follower = next
	}
	t.last = next
	t.used++
	return checkedText{text: next.text, known: next}, true
}

// labels returns what is known of the text, for a series with the bound.
func (t *text) labels(boundName string) messages.KnownLabels {
	if t == nil {
		return messages.KnownLabels{}
	}
	if boundName != "" && t.bound != boundName {
		t.bound, t.found = boundName, messages.KnowLabels(t.text, boundName)
	}
	return t.found
}

// checkText returns the label text, or what is wrong with it. ok is false if it is broken.
func checkText(b []byte) (_ checkedText, ok bool) {
	if !utf8.Valid(b) {
		return checkedText{}, false
	}
	label := messages.LabelText(b)
	if err := messages.CheckLabelText(label); err != nil {
		mended, ok := messages.MendLabelText(label)
		if ok {
			return checkedText{text: mended, mended: true}, true
		}
		return checkedText{err: err}, true
	}
	return checkedText{text: label}, true
}
