package mask

import "strings"

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
	pemDash  = "-----"
	// maxPEMLabel bounds what stands between the dashes.
	maxPEMLabel = 100
)

// findBlocks finds private keys in PEM, from the first line to the last. If the last line is
// missing, the key ends with the text. If the first line is missing, as in the tail of a
// log, it begins with the text. Line ends may be written as \n.
func findBlocks(text string, found []span) []span {
	done := 0
	for i := 0; i < len(text); {
		begin := strings.Index(text[i:], pemDash)
		if begin < 0 {
			return found
		}
		begin += i
		i = begin + len(pemDash)
		switch {
		case isPrivate(text[begin:], pemBegin):
			end := endOfBlock(text, begin+len(pemBegin))
			found = append(found, span{begin, end})
			i, done = end, end
		case isPrivate(text[begin:], pemEnd):
			end := endOfBlock(text, begin)
			found = append(found, span{done, end})
			i, done = end, end
		}
	}
	return found
}

// isPrivate reports whether the text begins with the line of a private key.
func isPrivate(text, mark string) bool {
	label, ok := strings.CutPrefix(text, mark)
	if !ok {
		return false
	}
	label = label[:min(len(label), maxPEMLabel)]
	end := strings.Index(label, pemDash)
	if end < 0 {
		end = len(label) // cut off
	}
	return strings.Contains(label[:end], "PRIVATE")
}

// endOfBlock returns the end of the last line of the block, the end of the text if it has
// none.
func endOfBlock(text string, from int) int {
	last := strings.Index(text[from:], pemEnd)
	if last < 0 {
		return len(text)
	}
	from += last + len(pemEnd)
	last = strings.Index(text[from:], pemDash)
	if last < 0 {
		return len(text)
	}
	return from + last + len(pemDash)
}
