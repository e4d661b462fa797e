package messages

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of what a series may be called. The longest series fits a chunk of an
// answer with room to spare.
const (
	MaxNameBytes      = 1 << 10
	MaxHelpBytes      = 32 << 10
	MaxLabelTextBytes = 64 << 10
	MaxSeriesLabels   = 128
)

// Label is one label; its value is unescaped.
type Label struct {
	Name, Value string
}

// LabelText is the labels of a series as the text format has them between the
// braces: name="value" pairs with commas between them and no spaces, sorted by
// name, no name twice, no value empty, values with \\, \" and \n escaped. A name
// stands in quotes if it is not made of letters, digits and underscores, and only
// then: the same labels have one text. The empty text is no label.
//
// A text made by RenderLabels, or accepted by CheckLabelText, can be written into
// a page as it is.
type LabelText string

// RenderLabels returns the text of the labels, whose names must be valid and each
// there once. It sorts them in place. A label with an empty value is left out: to
// Prometheus it is no label, so that a series with it is the series without it.
func RenderLabels(labels []Label) LabelText { return LabelText(AppendLabels(nil, labels)) }

// AppendLabels appends the text that RenderLabels returns.
func AppendLabels(dst []byte, labels []Label) []byte {
	slices.SortFunc(labels, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	start := len(dst)
	for _, l := range labels {
		if l.Value == "" {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = AppendLabel(dst, l.Name, l.Value)
	}
	return dst
}

// AppendLabel appends name="value" with the value escaped, and the name in quotes
// where it needs them.
func AppendLabel(dst []byte, name, value string) []byte {
	if IsLegacyLabelName(name) {
		dst = append(dst, name...)
	} else {
		dst = AppendQuoted(dst, name)
	}
	dst = append(dst, '=')
	return AppendQuoted(dst, value)
}

// AppendQuoted appends s escaped, in quotes.
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '\\', '"':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// RawLabel is a label as it stands in a text: Name without the quotes it may have,
// Escaped the value between its quotes.
type RawLabel struct {
	Name, Escaped string
	// Text is the whole pair.
	Text LabelText
}

var errLabelText = errors.New("not a label text")

// Cut splits the first label from the text. The text must not be empty. It accepts
// what a LabelText may be but for the order of names: see CheckLabelText.
func (t LabelText) Cut() (first RawLabel, rest LabelText, err error) {
	s := string(t)
	var name string
	at := 0
	if s != "" && s[0] == '"' {
		end := quotedEnd(s)
		if end < 0 {
			return first, "", errLabelText
		}
		name, at = Unescape(s[1:end-1]), end
	} else {
		at = strings.IndexByte(s, '=')
		if at < 0 {
			return first, "", errLabelText
		}
		name = s[:at]
	}
	if at+1 >= len(s) || s[at] != '=' || s[at+1] != '"' {
		return first, "", errLabelText
	}
	end := quotedEnd(s[at+1:])
	if end < 0 {
		return first, "", errLabelText
	}
	end += at + 1
	first = RawLabel{Name: name, Escaped: s[at+2 : end-1], Text: t[:end]}
	switch {
	case end == len(s):
		return first, "", nil
	case s[end] == ',' && end+1 < len(s):
		return first, t[end+1:], nil
	default:
		return first, "", errLabelText
	}
}

// quotedEnd returns the index behind the closing quote of s, which starts with the
// opening one; -1 if there is none, or a raw newline or a broken escape before it.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1
		case '\n':
			return -1
		case '\\':
			i++
			if i == len(s) || (s[i] != '\\' && s[i] != '"' && s[i] != 'n') {
				return -1
			}
		}
	}
	return -1
}

// Unescape returns the value of what stands between quotes.
func Unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			i++
			if c = s[i]; c == 'n' {
				c = '\n'
			}
		}
		b = append(b, c)
	}
	return string(b)
}

// Labels returns the labels of a checked text.
func (t LabelText) Labels() []Label { return t.AppendTo(nil) }

// AppendTo appends the labels of a checked text.
func (t LabelText) AppendTo(dst []Label) []Label {
	for t != "" {
		first, rest, err := t.Cut()
		if err != nil {
			return dst
		}
		dst = append(dst, Label{first.Name, Unescape(first.Escaped)})
		t = rest
	}
	return dst
}

// CheckLabelText returns an error unless t is a LabelText within the limits. What
// comes from a peer goes through it before it is written into a page.
func CheckLabelText(t LabelText) error {
	if len(t) > MaxLabelTextBytes {
		return fmt.Errorf("labels of %d bytes, at most %d are allowed", len(t), MaxLabelTextBytes)
	}
	if !utf8.ValidString(string(t)) {
		return errors.New("labels are not valid UTF-8")
	}
	before := ""
	for n := 1; t != ""; n++ {
		first, rest, err := t.Cut()
		if err != nil {
			return fmt.Errorf("labels %.100q: %w", string(t), err)
		}
		if n > MaxSeriesLabels {
			return fmt.Errorf("more than %d labels", MaxSeriesLabels)
		}
		if err := CheckLabelName(first.Name); err != nil {
			return err
		}
		plain, quoted := IsLegacyLabelName(first.Name), first.Text[0] == '"'
		switch {
		case !plain && !quoted:
			return fmt.Errorf("label name %.100q is not in quotes", first.Name)
		case plain && quoted:
			return fmt.Errorf("label name %.100q is in quotes without need", first.Name)
		case n > 1 && first.Name <= before:
			return fmt.Errorf("label %.100q is not in order, or there twice", first.Name)
		case first.Escaped == "":
			return fmt.Errorf("label %.100q has an empty value", first.Name)
		}
		before, t = first.Name, rest
	}
	return nil
}

// CheckLabelName returns an error unless the text can be a label's name.
func CheckLabelName(name string) error { return checkName("label", name) }

// CheckMetricName returns an error unless the text can be a metric's name.
func CheckMetricName(name string) error { return checkName("metric", name) }

func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%s name is empty", what)
	case len(name) > MaxNameBytes:
		return fmt.Errorf("%s name of %d bytes, at most %d are allowed", what, len(name), MaxNameBytes)
	case !utf8.ValidString(name):
		return fmt.Errorf("%s name %.100q is not valid UTF-8", what, name)
	case strings.IndexByte(name, 0) >= 0:
		// Prometheus takes it for the end of the page, and refuses the whole of it.
		return fmt.Errorf("%s name %.100q holds a NUL byte", what, name)
	case what == "label" && name == reservedLabel:
		return errors.New("label __name__ is not a label's name on a page")
	}
	return nil
}

// IsLegacyLabelName reports whether the name needs no quotes: letters, digits and
// underscores, no digit first.
func IsLegacyLabelName(name string) bool { return isPlain(name, false) }

// IsLegacyMetricName is IsLegacyLabelName, with colons allowed.
func IsLegacyMetricName(name string) bool { return isPlain(name, true) }

func isPlain(name string, colon bool) bool {
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c == ':' && colon:
		case '0' <= c && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return name != ""
}

// EscapedLabelName makes a plain label name of any text: what may not stand in one
// becomes an underscore.
func EscapedLabelName(text string) string { return plainName(text, false) }

// EscapedMetricName makes a plain metric name of any text: see EscapedLabelName.
func EscapedMetricName(text string) string { return plainName(text, true) }

func plainName(text string, colon bool) string {
	if isPlain(text, colon) {
		return text
	}
	b := []byte(text)
	for i, c := range b {
		if !isPlain(string(rune(c)), colon) && (c < '0' || c > '9') {
			b[i] = '_'
		}
	}
	if len(b) == 0 || ('0' <= b[0] && b[0] <= '9') {
		b = append([]byte{'_'}, b...)
	}
	return string(b)
}
