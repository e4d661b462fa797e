package promapi

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// Limits of the regular expressions of a query, all together. A few characters of one can take
// megabytes, and to match it can take seconds.
const (
	// maxRepeated bounds the instructions that repetitions add. Without them an expression has about
	// one for each character.
	maxRepeated = 32 << 10
	// maxLargeClasses bounds the classes of many characters: one such as \pL has up to 1300 ranges,
	// and if case does not matter it takes up to 20 ms to parse one.
	maxLargeClasses = 16
	// maxCaptures bounds the instructions times the groups: matching takes 16 bytes for each.
	maxCaptures = 1 << 20
)

// regexps is the size of regular expressions.
type regexps struct{ repeated, largeClasses, captures int }

// add adds an expression. It returns an error if they take too much now. An invalid one takes
// nothing: it is never matched.
func (r *regexps) add(text string) error {
	if r.largeClasses += largeClasses(text); r.largeClasses > maxLargeClasses {
		return fmt.Errorf("the regular expressions have more than the limit of %d classes of many characters", maxLargeClasses)
	}
	if re, err := syntax.Parse(text, syntax.Perl|syntax.DotNL); err == nil {
		size, groups := program(re)
		r.repeated += max(0, size-len(text))
		r.captures += size * groups
	}
	switch {
	case r.repeated > maxRepeated:
		return fmt.Errorf("the repetitions of regular expressions add more than the limit of %d instructions", maxRepeated)
	case r.captures > maxCaptures:
		return fmt.Errorf("the regular expressions have more than the limit of %d instructions times groups", maxCaptures)
	}
	return nil
}

var ignoresCase = regexp.MustCompile(`\(\?[a-zA-Z]*i`)

// largeClasses returns about how many classes of many characters an expression has.
func largeClasses(text string) (n int) {
	fold, inClass := ignoresCase.MatchString(text), false
	for i := 0; i < len(text); i++ {
		rest := text[i+1:]
		switch c := text[i]; {
		case c == '\\' && rest != "":
			i++
			if strings.ContainsRune("pP", rune(rest[0])) || fold && strings.ContainsRune("WDS", rune(rest[0])) {
				n++
			}
		case c == ']':
			inClass = false
		case c == '[':
			inClass = true
			if fold && (strings.HasPrefix(rest, "^") || strings.HasPrefix(rest, ":^")) {
				n++
			}
		case fold && inClass && c == '-' && rest != "" && (rest[0] == '\\' || rest[0] >= utf8.RuneSelf):
			n++ // A range to a character that may be far away.
		}
	}
	return n
}

// program returns about how many instructions an expression compiles to, and how many groups it
// has. It is recursive: package syntax parses up to a depth of a thousand.
func program(re *syntax.Regexp) (size, groups int) {
	const enough = 1 << 30 // A sum of more could overflow.
	for _, sub := range re.Sub {
		s, g := program(sub)
		size, groups = min(enough, size+s+1), groups+g
	}
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune), 0
	case syntax.OpCapture:
		return size + 2, groups + 1
	case syntax.OpRepeat:
		times := re.Max
		if times < 0 {
			times = re.Min + 1
		}
		return min(enough, size*max(1, times)), groups
	default:
		return size + 1, groups
	}
}
