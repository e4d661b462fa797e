package recorder

import (
	"errors"
	"strings"

	"fodc/messages"
)

var errRawSeries = errors.New("not a series")

// seriesScanner reads the raw text of a series, which is what stands before its value:
// foo{a="b"} or {"foo",a="b"}. The page parser has accepted the text. Names and labels must
// still be checked.
type seriesScanner struct {
	text string
	at   int
}

// scanSeries returns the metric name of a raw text, and appends its labels to the given ones in
// the order of the text. Both are unescaped.
func scanSeries(text string, labels []messages.Label) (string, []messages.Label, error) {
	s := seriesScanner{text: text}
	s.skipBlanks()
	start := s.at
	for s.at < len(text) && text[s.at] != '{' && !isBlank(text[s.at]) {
		s.at++
	}
	name := text[start:s.at]
	s.skipBlanks()
	if s.at == len(text) {
		return name, labels, nil
	}
	if !s.accept('{') {
		return "", labels, errRawSeries
	}
	return s.braces(name, labels)
}

// braces reads the text between the braces. A text in quotes without a value is the metric
// name.
func (s *seriesScanner) braces(name string, labels []messages.Label) (string, []messages.Label, error) {
	for {
		s.skipBlanks()
		if s.accept('}') {
			return name, labels, nil
		}
		text, quoted, err := s.token()
		if err != nil {
			return "", labels, err
		}
		s.skipBlanks()
		switch {
		case s.accept('='):
			s.skipBlanks()
			value, inQuotes, err := s.token()
			if err != nil || !inQuotes {
				return "", labels, errRawSeries
			}
			labels = append(labels, messages.Label{Name: text, Value: value})
		case quoted && name == "":
			name = text
		default:
			return "", labels, errRawSeries
		}
		s.skipBlanks()
		s.accept(',')
	}
}

// token reads a text in quotes, which it unescapes, or a bare name.
func (s *seriesScanner) token() (text string, quoted bool, err error) {
	start := s.at
	if !s.accept('"') {
		for s.at < len(s.text) && !strings.ContainsRune("=,}\" \t", rune(s.text[s.at])) {
			s.at++
		}
		if s.at == start {
			return "", false, errRawSeries
		}
		return s.text[start:s.at], false, nil
	}
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case '"':
			s.at++
			return unescape(s.text[start+1 : s.at-1]), true, nil
		case '\\':
			s.at++
		}
		s.at++
	}
	return "", true, errRawSeries
}

func (s *seriesScanner) skipBlanks() {
	for s.at < len(s.text) && isBlank(s.text[s.at]) {
		s.at++
	}
}

// accept skips the byte if it is the next one.
func (s *seriesScanner) accept(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// unescape returns the value of a text between quotes. Unlike messages.Unescape, which reads
// checked texts, it keeps the backslash of an escape that the format does not have, as
// Prometheus does.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			switch s[i+1] {
			case '\\', '"':
				i++
			case 'n':
				i++
				b = append(b, '\n')
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// checkRawName is messages.CheckMetricName for an escaped name. It does not allocate for a name
// of letters, digits, underscores and colons.
func checkRawName(name []byte) error {
	plain := len(name) > 0 && len(name) <= messages.MaxNameBytes
	for _, c := range name {
		plain = plain && (c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == ':')
	}
	if plain {
		return nil
	}
	return messages.CheckMetricName(unescape(string(name)))
}
