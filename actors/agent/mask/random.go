package mask

import (
	"regexp"
	"strings"
)

// Thresholds from which on a text looks random. The name of a pod has 15 random characters,
// that of a cloud instance 17.
const (
	minRandomRun   = 20 // characters without a break
	minRandomChars = 18 // of them, in pieces that look random
	minRandomPiece = 5
	maxUUIDBefore  = 8 // characters before a UUID
	// A piece looks random if its characters change between small letter, capital and digit at
	// one in maxPerChange positions or more. Random text changes at 4 in 10 positions, words
	// in camel case at 2 in 10.
	maxPerChange = 4
	// A long piece also looks random if fewer than minVowelPercent of its letters are vowels.
	// Words have 38 percent, random letters 19.
	minVowelPercent = 25
	minVowelRun     = 12
	// minDistinct is how many different characters there are in a run at least.
	minDistinct = 8
)

var (
	// digestName ends before the digest of an image or of another content.
	digestName = regexp.MustCompile(`(?i)(?:(?:sha-?(?:1|224|256|384|512)|md5)[:\-]|\bh1:)$`)
	// commitName ends before the hash of a commit.
	commitName = regexp.MustCompile(`(?i)\b(?:commit|revision|rev|sha)(?:[ :=/@]| is |: )$`)
)

// uuidForm is a UUID: x stands for a hexadecimal digit, - for itself or an underscore.
const uuidForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

func isPathRunByte(c byte) bool { return wordChars[c] }

// findRandom finds the parts of a value that look random, except UUIDs and digests.
func findRandom(value string) (found []span) {
	if len(value) < minRandomRun {
		return nil
	}
	run := runChars
	if beginsWithPath(value) || strings.Contains(value, "://") {
		run = wordChars // a slash separates names
	}
	for i := 0; i < len(value); i++ {
		end := skipIn(value, i, run)
		if end-i >= minRandomRun && !isDigest(value, i, end) && looksRandom(value[i:end]) {
			found = append(found, span{i, skip(value, end, func(c byte) bool { return c == '=' })})
		}
		i = end
	}
	return found
}

// isDigest reports whether value[from:to] is, or follows, the name of a digest, or is the hash of a commit behind a word for one.
func isDigest(value string, from, to int) bool {
	before := value[max(0, from-len("revision is ")-1):from]
	if commitName.MatchString(before) && skipIn(value, from, hexDigits) == to {
		return true
	}
	return digestName.MatchString(before) || digestName.MatchString(value[from:min(to, from+len("sha512-"))])
}

// looksRandom reports whether enough of the run is in pieces that look random.
func looksRandom(run string) bool {
	random := 0
	for i := 0; i < len(run); i++ {
		if end := endOfUUID(run[i:]); end > 0 {
			i += end
			continue
		}
		end := skipIn(run, i, alnumChars)
		if isRandomPiece(run[i:end]) {
			random += end - i
		}
		i = end
	}
	return random >= minRandomChars && distinct(run) >= minDistinct
}

// endOfUUID returns the end of the UUID that the text begins with, behind a word such as
// "pod" or none; 0 if there is none.
func endOfUUID(text string) int {
	dash := strings.IndexAny(text[:min(len(text), maxUUIDBefore+len(uuidForm))], "-_")
	from := dash - strings.IndexByte(uuidForm, '-')
	if from < 0 || from > maxUUIDBefore || len(text) < from+len(uuidForm) {
		return 0
	}
	for i := range len(uuidForm) {
		c := text[from+i]
		if uuidForm[i] == 'x' && !hexDigits[c] || uuidForm[i] == '-' && c != '-' && c != '_' {
			return 0
		}
	}
	return from + len(uuidForm)
}

// isULID reports whether the piece is one of this time, up to 2039: incidents are called so.
func isULID(piece string) bool {
	const size = len("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	return len(piece) == size && strings.HasPrefix(piece, "01") && skipIn(piece, 0, ulidChars) == size
}

// distinct counts the different bytes of the text.
func distinct(text string) (n int) {
	var seen [256]bool
	for i := range len(text) {
		if !seen[text[i]] {
			seen[text[i]] = true
			n++
		}
	}
	return n
}

// isRandomPiece reports whether a piece without punctuation looks random. A small letter
// behind a capital does not count as a change: words begin so.
func isRandomPiece(piece string) bool {
	if len(piece) < minRandomPiece || isULID(piece) {
		return false
	}
	changes, letters, vowels := 0, 0, 0
	for i := range len(piece) {
		c := piece[i]
		if !isDigit(c) {
			letters++
			if strings.IndexByte("aeiouAEIOU", c) >= 0 {
				vowels++
			}
		}
		if i > 0 && kindOf(c) != kindOf(piece[i-1]) && !(isLower(c) && isUpper(piece[i-1])) {
			changes++
		}
	}
	if changes*maxPerChange >= len(piece)-1 {
		return true
	}
	return len(piece) >= minRandomChars && letters >= minVowelRun && vowels*100 < letters*minVowelPercent
}

func kindOf(c byte) byte {
	switch {
	case isDigit(c):
		return '0'
	case isUpper(c):
		return 'A'
	default:
		return 'a'
	}
}
