package recorder

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/prometheus/common/model"

	"fodc/messages"
)

// ParseLimits are the limits of a page. A zero field stands for its default.
type ParseLimits struct {
	// Samples is how many samples a page may have, 200,000 by default. A page with
	// more is unusable.
	Samples int
	// MetaLines is how many TYPE and HELP lines are read, 50,000 by default. Lines over it are
	// bad lines.
	MetaLines int
	// BadLines is how many lines may be skipped, 10,000 by default. A page with more
	// is unusable.
	BadLines int
	// SampleLimit and LabelLimit are the settings sample_limit and label_limit of Prometheus: how
	// many samples a page may have, and how many labels a sample, with its name as one of them. A page with more is
	// unusable. There is none by default.
	SampleLimit, LabelLimit int
}

const (
	defaultPageSamples = 200_000
	defaultMetaLines   = 50_000
	defaultBadLines    = 10_000
)

func (l ParseLimits) withDefaults() ParseLimits {
	l.Samples = cmp.Or(l.Samples, defaultPageSamples)
	l.MetaLines = cmp.Or(l.MetaLines, defaultMetaLines)
	l.BadLines = cmp.Or(l.BadLines, defaultBadLines)
	return l
}

// Page is a scraped page. The zero Page is ready for Parse. Parse may be called any number of
// times; it reuses the buffers of the page before.
type Page struct {
	// buf has the page. The texts of samples and lines are subslices of it.
	buf     []byte
	samples []pageSample
	lines   []metaLine
	// template is a new one for each page that was parsed: see template.go. valueSpans are the
	// spans of the values of all samples, empty if the next page must be parsed.
	template   *template
	valueSpans []span

	// format is that of contentType.
	contentType string
	format      pageFormat

	limits   ParseLimits
	badLines int
	firstBad error
	err      error
}

// pageSample is a sample of a page.
type pageSample struct {
	// raw is the text before the value: name and labels.
	raw   []byte
	value float64
}

// ErrTooManySamples is the Err of a page with more samples than it may have.
var ErrTooManySamples = errors.New("page with too many samples")

// ErrTooManyLabels is the Err of a page with a sample that has more labels than LabelLimit.
var ErrTooManyLabels = errors.New("page with too many labels")

// metaLine is a TYPE or HELP line.
type metaLine struct {
	// name is escaped, as on the page.
	name []byte
	// kind is empty on a HELP line, help is nil on a TYPE line.
	kind model.MetricType
	help []byte
}

// Samples returns the number of samples that were read.
func (p *Page) Samples() int { return len(p.samples) }

// BadLines returns the number of lines that were skipped. A page with any, and
// without Err, is partial: its other lines are good.
func (p *Page) BadLines() int { return p.badLines }

// FirstBad says what was wrong with the first line that was skipped, and its number. It is nil
// if none was.
func (p *Page) FirstBad() error { return p.firstBad }

// Err says why the page is unusable as a whole: it is no page of metrics, or over a limit. It
// has no samples then.
func (p *Page) Err() error { return p.err }

// Fallback reports whether the content type was missing or unknown, so that the
// page was read as text.
func (p *Page) Fallback() bool { return p.format.fallback }

// bad counts the line at the offset as a bad line.
func (p *Page) bad(offset int, err error) {
	if p.badLines++; p.firstBad == nil {
		const shown = 200 // The parser's errors quote lines of any length.
		p.firstBad = fmt.Errorf("line %d: %.*s", p.lineNumber(offset), shown, err.Error())
	}
	if p.badLines <= p.limits.BadLines {
		return
	}
	if what := p.sniff(); what != nil && len(p.samples) == 0 {
		p.fail(fmt.Errorf("page with more than %d bad lines: %w", p.limits.BadLines, what))
	} else {
		p.fail(fmt.Errorf("page with more than %d bad lines, the first: %w", p.limits.BadLines, p.firstBad))
	}
}

// fail makes the page unusable, and returns why.
func (p *Page) fail(err error) error {
	p.err = err
	return err
}

// addMeta keeps a TYPE or HELP line, or counts it as bad.
func (p *Page) addMeta(line metaLine) {
	if !p.format.openMetrics { // Any number of blanks may stand around words.
		line.help = trimBlanks(line.help)
	}
	err := checkRawName(line.name)
	if n := len(line.help); err == nil && n > messages.MaxHelpBytes {
		err = fmt.Errorf("help of %d bytes, at most %d are allowed", n, messages.MaxHelpBytes)
	}
	if err == nil && len(p.lines) == p.limits.MetaLines {
		err = fmt.Errorf("more than %d TYPE and HELP lines", p.limits.MetaLines)
	}
	if err != nil {
		p.bad(p.offset(line.name), err)
		return
	}
	p.lines = append(p.lines, line)
}
