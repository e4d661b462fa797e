package recorder

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"fodc/messages"
)

// The page parser accepts TYPE and HELP lines as the libraries of Prometheus write them: one
// blank between words, types in lower case. The text format allows any number of blanks and
// tabs, and other parsers accept types in any letter case. Lines that the page parser refuses
// are read here. It costs nothing for pages without such lines, nor for a page that matches
// its template.

// metricTypes are the types of both formats. The type untyped of the text format is unknown in
// OpenMetrics: either word is accepted in both.
var metricTypes = map[string]model.MetricType{
	"counter":   model.MetricTypeCounter,
	"gauge":     model.MetricTypeGauge,
	"histogram": model.MetricTypeHistogram,
	"summary":   model.MetricTypeSummary,
	"untyped":   model.MetricTypeUnknown,
	"unknown":   model.MetricTypeUnknown,
}

// openMetricTypes are the types of OpenMetrics alone.
var openMetricTypes = map[string]model.MetricType{
	"gaugehistogram": model.MetricTypeGaugeHistogram,
	"info":           model.MetricTypeInfo,
	"stateset":       model.MetricTypeStateset,
}

// typeNamed returns the type for a word in any letter case, empty if there is none.
func (f pageFormat) typeNamed(word []byte) model.MetricType {
	name := strings.ToLower(string(word))
	if kind := metricTypes[name]; kind != "" || !f.openMetrics {
		return kind
	}
	return openMetricTypes[name]
}

// takeMeta reads a TYPE, HELP or UNIT line. Text is a subslice of the page that begins with the
// line; lines behind it are ignored. It returns false if the line is invalid, or another one.
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
	case "UNIT": // is checked and ignored
		return p.format.openMetrics && bytes.HasSuffix(name, append([]byte("_"), rest...))
	default:
		return false
	}
	return true
}

// cutWord splits a text into its first word and the rest, without the blanks around them.
func cutWord(text []byte) (word, rest []byte) {
	text = trimBlanks(text)
	end := bytes.IndexAny(text, blanks)
	if end < 0 {
		end = len(text)
	}
	return text[:end], trimBlanks(text[end:])
}

// cutName splits a text into the metric name that it begins with, without its quotes, and the
// rest without blanks around it. The name is nil if it is invalid.
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

// unescapeHelp returns the value of a help text. In the text format, a quote is not escaped.
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
