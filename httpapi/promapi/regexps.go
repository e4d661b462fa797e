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
	// maxRepeated bounds the instructions that are repeated, as often as they are: with so many it
	// takes up to 25 ms to match a value of 64 bytes.
	maxRepeated = 8 << 10
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
		p := programOf(re)
		r.repeated += p.repeated
		r.captures += p.size * p.groups
	}
	switch {
	case r.repeated > maxRepeated:
		return fmt.Errorf("the regular expressions repeat more than the limit of %d instructions", maxRepeated)
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

// program is about what an expression compiles to.
type program struct {
	// size is its instructions; repeated those in repetitions, as often as they are repeated.
	size, repeated int
	// groups are those that capture.
	groups int
}

// programOf is recursive: package syntax parses up to a depth of a thousand.
func programOf(re *syntax.Regexp) (p program) {
	const enough = 1 << 30 // A sum of more could overflow.
	for _, sub := range re.Sub {
		inner := programOf(sub)
		p.size = min(enough, p.size+inner.size+1)
		p.repeated = min(enough, p.repeated+inner.repeated)
		p.groups += inner.groups
	}
	switch re.Op {
	case syntax.OpLiteral:
		p.size = len(re.Rune)
	case syntax.OpCapture:
		p.size += 2
		p.groups++
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest:
		p.repeated = min(enough, p.repeated+p.size)
		p.size++
	case syntax.OpRepeat:
		times := max(1, re.Max)
		if re.Max < 0 {
			times = re.Min + 1
		}
		p.repeated = min(enough, (p.repeated+p.size)*times)
		p.size = min(enough, p.size*times)
	default:
		p.size++
	}
	return p
}
