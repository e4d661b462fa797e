package recorder

import (
	"errors"
	"strings"

	"fodc/messages"
)

var errRawSeries = errors.New("not a series")

// seriesScanner reads the bytes before a value: foo{a="b"} or {"foo",a="b"}. The page
// parser has accepted them, so it is lenient where that is; what it returns is
// still to be checked.
type seriesScanner struct {
	text string
	at   int
}

// scanSeries returns the name of a sample and appends its labels to the given ones,
// all unescaped, in the order of the text.
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

// braces reads what is between the braces. A quoted text without a value is the
// name of the metric.
func (s *seriesScanner) braces(name string, labels []messages.Label) (string, []messages.Label, error) {
	for {
		s.skipBlanks()
		if s.accept('}') {
			return name, labels, nil
		}
		word, quoted, err := s.token()
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
			labels = append(labels, messages.Label{Name: word, Value: value})
		case quoted && name == "":
			name = word
		default:
			return "", labels, errRawSeries
		}
		s.skipBlanks()
		s.accept(',')
	}
}

// token returns a text in quotes, unescaped, or a bare name.
func (s *seriesScanner) token() (word string, quoted bool, err error) {
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

// accept steps over the byte if it comes next.
func (s *seriesScanner) accept(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// unescape returns the value of what stands between quotes. Unlike
// messages.Unescape, which reads checked texts, it keeps the backslash of an escape
// that the format does not have, as Prometheus does.
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

// checkRawName is messages.CheckMetricName for an escaped name. It does not
// allocate for a plain one.
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
