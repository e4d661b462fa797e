package promapi

import (
	"regexp/syntax"
	"strings"
)

// references returns how many times the text of a match can be in its replacement, for a
// template such as "$1-${name}", and what it has besides.
func references(text, template string) (times, bytes int) {
	groups := map[string]int{} // by number or name
	overlap := groupsOverlap(text)
	for i := 0; i < len(template); {
		name, next := reference(template[i:])
		if name == "" {
			bytes++
			i++
			continue
		}
		groups[name]++
		i += next
		// Group 0 is the whole match. What has a name has a number, too.
		overlap = overlap || name == "0" || !isDigits(name)
	}
	for _, n := range groups {
		if overlap {
			times += n
		} else {
			times = max(times, n)
		}
	}
	return times, bytes
}

// reference returns the name at the begin of a template, and how long it is with its $; "" if
// there is none.
func reference(template string) (name string, next int) {
	if len(template) < 2 || template[0] != '$' {
		return "", 0
	}
	i := 1
	if template[1] == '{' {
		i++
	}
	from := i
	for i < len(template) && (template[i] == '_' || template[i] >= utf8Min || isAlphanumeric(template[i])) {
		i++
	}
	name = template[from:i]
	if from == 2 {
		if i == len(template) || template[i] != '}' {
			return "", 0
		}
		i++
	}
	return name, i
}

// utf8Min is the first byte that may begin a letter of more than one byte.
const utf8Min = 0x80

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// groupsOverlap reports whether two groups of the expression can match the same text.
func groupsOverlap(text string) bool {
	re, err := syntax.Parse(text, syntax.Perl|syntax.DotNL)
	return err != nil || nested(re, false)
}

func nested(re *syntax.Regexp, inGroup bool) bool {
	if re.Op == syntax.OpCapture {
		if inGroup {
			return true
		}
		inGroup = true
	}
	for _, sub := range re.Sub {
		if nested(sub, inGroup) {
			return true
		}
	}
	return false
}
