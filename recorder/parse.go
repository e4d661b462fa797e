package recorder

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"

	"github.com/prometheus/prometheus/model/textparse"
)

// pageFormat is the format of a page.
type pageFormat struct {
	openMetrics bool
	// fallback says that the content type is missing or unknown.
	fallback bool
}

var (
	errNUL         = errors.New("NUL byte outside of a label value")
	errNewline     = errors.New("raw newline in a label value or name")
	errBehindValue = errors.New("text behind the value")
)

// Parse reads a page in the Prometheus text format 0.0.4 or in OpenMetrics, by its content
// type; as text if that is missing or unknown. Any input is allowed. Body may be reused when
// it returns.
//
// A bad line is skipped and counted. These are no bad lines: blank lines, a last line without
// newline, lines that end in CR LF, a byte order mark of UTF-8, TYPE and HELP lines with any
// number of blanks, and types in any letter case. Timestamps and exemplars are accepted where
// the format has them, and ignored: samples have the time of the scrape.
func (p *Page) Parse(body []byte, contentType string, limits ParseLimits) {
	limits = limits.withDefaults()
	body = bytes.TrimPrefix(body, []byte(utf8BOM))
	if contentType == p.contentType && limits == p.limits && p.matchTemplate(body) {
		return
	}
	p.empty()
	p.badLines, p.firstBad, p.err = 0, nil, nil
	p.limits = limits
	if contentType != p.contentType || contentType == "" {
		p.contentType, p.format = contentType, formatOf(contentType)
	}
	p.load(body)
	if name := compressionOf(p.buf); name != "" {
		p.fail(compressed(name))
	} else {
		p.read()
	}
	if p.err == nil && len(p.samples) == 0 && p.isUnusable() {
		p.fail(fmt.Errorf("page without a single sample%s: %w", p.contentTypeNote(), cmp.Or(p.sniff(), p.firstBad)))
	}
	if p.err != nil {
		p.empty()
	}
	p.setTemplate()
}

// isUnusable reports whether a page without a sample is an error. A page whose content type is
// text may be empty: a process may have no metrics yet.
func (p *Page) isUnusable() bool {
	return p.badLines > 0 || p.format.fallback && len(bytes.TrimSpace(p.buf)) == 0
}

// empty drops all samples and lines. It clears them, so that they do not keep an old buffer
// alive.
func (p *Page) empty() {
	clear(p.samples)
	clear(p.lines)
	p.samples, p.lines = p.samples[:0], p.lines[:0]
}

// contentTypeNote says in an error which content type the page has, unless it is a known one.
func (p *Page) contentTypeNote() string {
	switch {
	case !p.format.fallback:
		return ""
	case p.contentType == "":
		return ", and without a content type"
	default:
		return fmt.Sprintf(" of the content type %.100q", p.contentType)
	}
}

func formatOf(contentType string) pageFormat {
	kind, _, err := mime.ParseMediaType(contentType)
	return pageFormat{
		openMetrics: err == nil && kind == "application/openmetrics-text",
		fallback:    err != nil || kind != "application/openmetrics-text" && kind != "text/plain",
	}
}

// load copies the page into the buffer, without the CR of line ends. The buffer has capacity
// for the newline that the parser appends, so that appending does not move the page.
func (p *Page) load(body []byte) {
	const spare = 1
	need := len(body) + spare
	if cap(p.buf)/keepFactor > max(need, keepBytes) {
		p.buf, p.samples, p.lines, p.valueSpans = nil, nil, nil, nil
	}
	if cap(p.buf) < need {
		p.buf = make([]byte, 0, need+need/growPart)
	}
	p.buf = p.buf[:0]
	for {
		i := bytes.Index(body, []byte("\r\n"))
		if i < 0 {
			break
		}
		p.buf = append(p.buf, body[:i]...)
		body = body[i+1:]
	}
	p.buf = append(p.buf, bytes.TrimSuffix(body, []byte("\r"))...)
}

const (
	// A new buffer is larger than the page by 1/growPart: the next page may be longer.
	growPart = 8
	// A buffer over keepBytes is freed for a page that is keepFactor times smaller.
	keepFactor = 4
	keepBytes  = 1 << 20
)

// read parses the page to its end. A parser stops at an error; a new one starts behind the line
// with the error. Each line is read by a bounded number of parsers, so that the work is
// linear in the size of the page.
func (p *Page) read() {
	suspect := noSample
	for at := 0; p.err == nil; {
		stop := p.run(at)
		at = stop.at
		if suspect != noSample && (stop.entries > 0 || stop.err == nil) {
			// The new parser accepts the line, so that the error was in the line before: the
			// parser of OpenMetrics notices blanks behind a value only there.
			p.bad(p.offset(p.samples[suspect].raw), errBehindValue)
			p.samples = slices.Delete(p.samples, suspect, suspect+1)
		}
		rest := p.buf[at:]
		switch {
		case stop.err == nil || p.err != nil:
			return
		case p.format.openMetrics && stop.lastIsSample && len(rest) > 0:
			suspect = len(p.samples) - 1
			continue
		case len(rest) == 0 || p.format.openMetrics && bytes.HasPrefix(rest, []byte("# EOF")):
			p.bad(at, stop.err)
			return
		}
		suspect = noSample
		if !p.takeMeta(rest) {
			p.bad(at, stop.err)
		}
		at = p.lineAfter(at)
	}
}

const noSample = -1

// runEnd is where and why a parser stopped.
type runEnd struct {
	// entries counts the lines that it accepted.
	entries      int
	lastIsSample bool
	// at is the offset of the line that it did not accept, or the end of the page.
	at int
	// err is nil at the end of the page.
	err error
}

// run parses from the offset, where a line starts, to the end of the page or an error.
func (p *Page) run(at int) (s runEnd) {
	parser := p.parser(at)
	last := p.buf[at:at]
	for p.err == nil {
		entry, err := parser.Next()
		if err == nil && entry == textparse.EntrySeries {
			err = p.addSample(parser)
		}
		if err != nil {
			s.err = err
			break
		}
		s.entries++
		s.lastIsSample = entry == textparse.EntrySeries
		switch entry {
		case textparse.EntrySeries:
			last = p.samples[len(p.samples)-1].raw
		case textparse.EntryType:
			name, kind := parser.Type()
			p.addMeta(metaLine{name: name, kind: kind})
			last = name
		case textparse.EntryHelp:
			name, help := parser.Help()
			p.addMeta(metaLine{name: name, help: help})
			last = name
		case textparse.EntryUnit:
			last, _ = parser.Unit()
		case textparse.EntryComment:
			last = parser.Comment()
			p.takeMeta(last) // #TYPE without a blank is a comment to the parser.
		}
	}
	if s.at = at; s.entries > 0 {
		s.at = p.lineAfter(p.offset(last) + len(last))
	}
	p.finish(&s)
	return s
}

// finish completes the end of a run by what is left of the page.
func (p *Page) finish(s *runEnd) {
	if !p.format.openMetrics {
		// The text parser skips blank lines, and takes a NUL for the end of the page.
		s.at = len(p.buf) - len(bytes.TrimLeft(p.buf[s.at:], " \t\n"))
		if s.err == io.EOF && s.at < len(p.buf) {
			s.err = errNUL
		}
	}
	if s.err == io.EOF {
		s.err = nil
	}
}

// addSample adds the parser's current sample.
func (p *Page) addSample(parser textparse.Parser) error {
	raw, _, value := parser.Series()
	if bytes.IndexByte(raw, '\n') >= 0 {
		return errNewline
	}
	if err := p.checkLimits(raw); err != nil {
		return p.fail(err)
	}
	p.samples = append(p.samples, pageSample{raw, value})
	return nil
}

// parser returns a parser that starts at the offset. It returns subslices of the page. It
// needs no symbol table: scanSeries reads the labels, because the parser's own Labels
// rewrites le and quantile.
func (p *Page) parser(at int) textparse.Parser {
	if p.format.openMetrics {
		return textparse.NewOpenMetricsParser(p.buf[at:], nil)
	}
	return textparse.NewPromParser(p.buf[at:], nil, false)
}

// offset returns the offset of a subslice of the page.
func (p *Page) offset(part []byte) int { return cap(p.buf) - cap(part) }

// lineAfter returns the offset of the line after the one at the offset.
func (p *Page) lineAfter(offset int) int {
	if i := bytes.IndexByte(p.buf[offset:], '\n'); i >= 0 {
		return offset + i + 1
	}
	return len(p.buf)
}

func (p *Page) lineNumber(offset int) int {
	return 1 + bytes.Count(p.buf[:offset], []byte("\n"))
}
