package bundle

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxText bounds a text of a stranger in a README, in bytes.
const maxText = 500

// bounded returns a text with at most maxText bytes, of valid UTF-8.
func bounded(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

// plain returns a text as it stands in a line or a cell of Markdown: it can begin no other element, and hides nothing.
func plain(s string) string {
	var b strings.Builder
	for _, r := range bounded(s) {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf):
			b.WriteRune(utf8.RuneError)
		case strings.ContainsRune("\\`*_{}[]<>|#!&~", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code returns a text as code. In it only what ends it, or a cell, matters.
func code(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '`':
			return '\''
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf):
			return utf8.RuneError
		}
		return r
	}, bounded(s))
	return "`" + strings.ReplaceAll(s, "|", "\\|") + "`"
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// since is a time as its distance from another one.
func since(t, from time.Time) string {
	return fmt.Sprintf("%s (%+.0f s)", t.UTC().Format("15:04:05"), t.Sub(from).Seconds())
}

func plural(n int, what string) string {
	if n == 1 || strings.HasSuffix(what, "series") {
		return strconv.Itoa(n) + " " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return plural(int(n), "byte")
}
