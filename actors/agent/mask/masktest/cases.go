package masktest

import (
	_ "embed" // for the table
	"strings"
)

//go:embed testdata/secrets.txt
var secrets string

//go:embed testdata/harmless.txt
var harmless string

// Bytes of a secret that may show by accident: in its own value, and in a text in which
// there is much more. In the latter, secrets of less than minAmongBytes are not looked for.
const (
	shownBytes      = 4
	shownAmongBytes = 11
	minAmongBytes   = 8
)

// Case is a value with its name.
type Case struct {
	Key, Value string
	secrets    []string // parts of the value; none of a harmless one
}

// NewCase returns the case of one secret within a value.
func NewCase(key, value, secret string) Case { return Case{key, value, []string{secret}} }

// Secrets returns the values that have secrets in them.
func Secrets() []Case { return cases(secrets) }

// Harmless returns the values that have none.
func Harmless() []Case { return cases(harmless) }

func cases(text string) (all []Case) {
	written := strings.NewReplacer("⏎", "\n", "·", "")
	unmarked := strings.NewReplacer("«", "", "»", "")
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, _ := strings.Cut(line, " = ")
		value = written.Replace(value)
		c := Case{Key: key, Value: unmarked.Replace(value)}
		for _, part := range strings.Split(value, "«")[1:] {
			part, _, _ = strings.Cut(part, "»")
			c.secrets = append(c.secrets, part)
		}
		all = append(all, c)
	}
	return all
}

// Leak returns a part of a secret that is in what is shown of the value, "" if there is
// none.
func (c Case) Leak(shown string) string {
	for _, s := range c.secrets {
		if part := partOf(s, shown, shownBytes); part != "" {
			return part
		}
	}
	return ""
}

// LeakAmong is Leak for a text in which there is much more than the value.
func (c Case) LeakAmong(text string) string {
	for _, s := range c.secrets {
		if len(s) < minAmongBytes {
			continue
		}
		if part := partOf(s, text, shownAmongBytes); part != "" {
			return part
		}
	}
	return ""
}

// partOf returns a part of the secret that is in the text and longer than allowed, or all
// of a secret that is not so long.
func partOf(secret, text string, allowed int) string {
	size := min(len(secret), allowed+1)
	for i := 0; i+size <= len(secret); i++ {
		if part := secret[i : i+size]; strings.Contains(text, part) {
			return part
		}
	}
	return ""
}
