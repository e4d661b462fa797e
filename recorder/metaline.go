package recorder

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"fodc/messages"
)

// The page parser reads TYPE and HELP lines as the libraries of Prometheus write them:
// one blank between words, types in lower case. The text format allows any number of
// blanks and tabs, and other parsers take types in any case. What the page parser
// refuses is read here. Pages that have no such line never come here, and a page that
// repeats is not taken apart, whatever its lines look like.

// metricTypes are the types that either format knows. The text format calls untyped
// what OpenMetrics calls unknown; pages of both confuse them.
var metricTypes = map[string]model.MetricType{
	"counter":   model.MetricTypeCounter,
	"gauge":     model.MetricTypeGauge,
	"histogram": model.MetricTypeHistogram,
	"summary":   model.MetricTypeSummary,
	"untyped":   model.MetricTypeUnknown,
	"unknown":   model.MetricTypeUnknown,
}

// openMetricTypes are those that only OpenMetrics has.
var openMetricTypes = map[string]model.MetricType{
	"gaugehistogram": model.MetricTypeGaugeHistogram,
	"info":           model.MetricTypeInfo,
	"stateset":       model.MetricTypeStateset,
}

// typeNamed returns the type of a word in any letter case, empty if it is none.
func (f pageFormat) typeNamed(word []byte) model.MetricType {
	name := strings.ToLower(string(word))
	if kind := metricTypes[name]; kind != "" || !f.openMetrics {
		return kind
	}
	return openMetricTypes[name]
}

// takeMeta reads a TYPE, HELP or UNIT line, a part of the page that may have more lines
// behind it. It returns false if it is none.
func (p *Page) takeMeta(text []byte) bool {
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		text = text[:end]
	}
	rest, ok := bytes.CutPrefix(trimBlanks(text), []byte("#"))
	if !ok {
		return false
	}
	keyword, rest := cutWord(rest)
	name, rest := cutName(rest)
	if name == nil {
		return false
	}
	switch string(keyword) {
	case "TYPE":
		kind := p.format.typeNamed(rest)
		if kind == "" {
			return false
		}
		p.addMeta(metaLine{name: name, kind: kind})
	case "HELP":
		if !utf8.Valid(rest) {
			return false
		}
		p.addMeta(metaLine{name: name, help: p.format.unescapeHelp(rest)})
	case "UNIT": // Nothing of it is kept.
		return p.format.openMetrics && bytes.HasSuffix(name, append([]byte("_"), rest...))
	default:
		return false
	}
	return true
}

// cutWord cuts the first word off a text, and the blanks around it.
func cutWord(text []byte) (word, rest []byte) {
	text = trimBlanks(text)
	end := bytes.IndexAny(text, blanks)
	if end < 0 {
		end = len(text)
	}
	return text[:end], trimBlanks(text[end:])
}

// cutName cuts a metric's name off a text, which may stand in quotes, and the blanks
// behind it. The name is nil if there is none.
func cutName(text []byte) (name, rest []byte) {
	if len(text) == 0 || text[0] != '"' {
		if name, rest = cutWord(text); !messages.IsLegacyMetricName(string(name)) {
			return nil, nil
		}
		return name, rest
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			rest = trimBlanks(text[i+1:])
			if len(rest) == len(text)-i-1 && len(rest) > 0 {
				return nil, nil // no blank behind the name
			}
			return text[1:i], rest
		}
	}
	return nil, nil
}

const blanks = " \t"

func trimBlanks(text []byte) []byte { return bytes.Trim(text, blanks) }

// unescapeHelp returns a help as it is meant. The text format has no escaped quotes in it.
func (f pageFormat) unescapeHelp(text []byte) []byte {
	switch {
	case bytes.IndexByte(text, '\\') < 0:
		return text
	case f.openMetrics:
		return []byte(unescape(string(text)))
	default:
		return []byte(helpEscapes.Replace(string(text)))
	}
}

var helpEscapes = strings.NewReplacer(`\\`, `\`, `\n`, "\n")
