package mask

import "strings"

const (
	// dashes are before and behind a label at least; keys of SSH2 have four, and a blank.
	dashes = "----"
	// maxPEMLabel bounds what stands between the dashes.
	maxPEMLabel = 100
	blockBegin  = "BEGIN"
	blockEnd    = "END"
	// The private part of a key of PuTTY is between these, and the second line has a code of it.
	puttyBegin = "Private-Lines:"
	puttyEnd   = "Private-MAC:"
)

// findBlocks finds private keys in PEM and of PuTTY, from the first line to the last. If the last line is
// missing, the key ends with the text. If the first line is missing, as in the tail of a
// log, it begins with the text. Line ends may be written as \n.
func findBlocks(text string, found []span) []span {
	done := 0
	for i := 0; ; {
		begin := strings.Index(text[i:], dashes)
		if begin < 0 {
			return findPutty(text, found)
		}
		begin += i
		i = skip(text, begin, isDash)
		switch {
		case isPrivate(text[i:], blockBegin):
			i, _ = endOfBlock(text, i)
			found = append(found, span{begin, i})
			done = i
		case isPrivate(text[i:], blockEnd):
			i, _ = endOfBlock(text, begin)
			found = append(found, span{done, i})
			done = i
		}
	}
}

func isDash(c byte) bool { return c == '-' }

// isPrivate reports whether a text behind dashes is the rest of the line of a private key.
func isPrivate(text, mark string) bool {
	label, ok := cutLabel(text, mark)
	return ok && strings.Contains(label, "PRIVATE")
}

// cutLabel returns what stands behind the mark, up to the dashes at the end of the line.
func cutLabel(text, mark string) (string, bool) {
	label, ok := strings.CutPrefix(strings.TrimPrefix(text, " "), mark)
	if !ok {
		return "", false
	}
	label = label[:min(len(label), maxPEMLabel)]
	if end := strings.Index(label, dashes); end >= 0 { // Else it is cut off.
		label = label[:end]
	}
	return label, true
}

// endOfBlock returns the end of the last line of the block, the end of the text if it has
// none: then closed is false.
func endOfBlock(text string, from int) (end int, closed bool) {
	for {
		last := strings.Index(text[from:], dashes)
		if last < 0 {
			return len(text), false
		}
		from = skip(text, from+last, isDash)
		if _, ok := cutLabel(text[from:], blockEnd); !ok {
			continue
		}
		if last = strings.Index(text[from:], dashes); last < 0 {
			return len(text), true
		}
		return skip(text, from+last, isDash), true
	}
}

// findPutty finds the private parts of keys of PuTTY.
func findPutty(text string, found []span) []span {
	for i := 0; ; {
		begin := strings.Index(text[i:], puttyBegin)
		if begin < 0 {
			return found
		}
		begin += i
		i, _ = endOfPutty(text, begin)
		found = append(found, span{begin, i})
	}
}

// endOfPutty is endOfBlock for the private part of a key of PuTTY.
func endOfPutty(text string, from int) (end int, closed bool) {
	last := strings.Index(text[from:], puttyEnd)
	if last < 0 {
		return len(text), false
	}
	return skipIn(text, skip(text, from+last+len(puttyEnd), isBlank), hexDigits), true
}

// openBlock returns the search for the end of a private key that begins in the line and does not end in it, nil if there is none.
func openBlock(line string) func(text string, from int) (end int, closed bool) {
	// Most have none, and the search from the front is the faster one.
	if strings.Contains(line, blockBegin) {
		begin := strings.LastIndex(line, blockBegin)
		before := strings.TrimSuffix(line[:begin], " ")
		if _, closed := endOfBlock(line, begin); !closed && strings.HasSuffix(before, dashes) && isPrivate(line[begin:], blockBegin) {
			return endOfBlock
		}
	}
	if strings.Contains(line, puttyBegin) {
		begin := strings.LastIndex(line, puttyBegin)
		if _, closed := endOfPutty(line, begin); !closed {
			return endOfPutty
		}
	}
	return nil
}
