package crash

import (
	"strconv"
	"strings"
	"time"

	"fodc/messages"
)

const (
	// maxValueLines bounds the lines of a panic's value.
	maxValueLines = 64
	// maxForeignLines ends a dump: so many lines in a row are none of it.
	maxForeignLines = 8
	// dumpQuiet ends a dump after which no line of it has come for so long, and dumpTime one that
	// goes on for so long.
	dumpQuiet = 2 * time.Second
	dumpTime  = 30 * time.Second
)

// dump is what Go's runtime writes when it ends a process: why, and the stacks of goroutines.
type dump struct {
	at            time.Time
	began, last   time.Time // when it was read: its first line and its newest
	value         strings.Builder
	lines         int
	signal        string // with its details
	stack         strings.Builder
	stackBytes    int  // as they were written
	inStack       bool // the first goroutine was seen
	goroutines    int
	foreign       int // lines in a row
	recovered     bool
	awaitingFrame bool
	component     string
	fields        map[string]string
}

// beginsDump reports whether a line is the first of a dump.
func beginsDump(line string) bool {
	if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
		return true
	}
	name, _, found := strings.Cut(line, ": ")
	return found && strings.HasPrefix(name, "SIG") && signalName(name) != ""
}

func newDump(line string, at, now time.Time) *dump {
	d := &dump{at: at, began: now, last: now, fields: map[string]string{}}
	if name, _, _ := strings.Cut(line, ": "); strings.HasPrefix(name, "SIG") {
		d.signal = line
	}
	d.addValue(strings.TrimPrefix(line, "panic: "))
	return d
}

func (d *dump) addValue(line string) {
	if d.lines < maxValueLines && d.value.Len() < maxPanicBytes {
		if d.lines > 0 {
			d.value.WriteByte('\n')
		}
		d.value.WriteString(cut(line, maxPanicBytes+maskSlack))
	}
	d.lines++
}

// add takes a line. It returns false if the dump has ended before it.
func (d *dump) add(line string, now time.Time) bool {
	if d.isOver(now) {
		return false
	}
	if !d.inStack {
		return d.addHead(line, now)
	}
	if beginsDump(line) {
		return false
	}
	if !isStack(line) {
		d.foreign++
		return d.foreign < maxForeignLines
	}
	d.addStack(line, now)
	return true
}

// addHead takes a line before the first goroutine.
func (d *dump) addHead(line string, now time.Time) bool {
	signal, isSignal := strings.CutPrefix(line, "[signal ")
	switch {
	case line == "":
	case isGoroutine(line):
		d.addStack(line, now)
	case isSignal:
		d.signal, d.last = strings.TrimSuffix(signal, "]"), now
	case strings.HasPrefix(line, "{"):
		d.foreign++ // the log of another goroutine
		return d.foreign < maxForeignLines
	default:
		d.addValue(strings.TrimPrefix(line, "\t"))
		d.last = now
		return d.lines < maxValueLines
	}
	return true
}

func (d *dump) addStack(line string, now time.Time) {
	d.last, d.foreign = now, 0
	switch {
	case isGoroutine(line):
		d.awaitingFrame, d.inStack = !d.inStack, true
		if line != runtimeStack {
			d.goroutines++
		}
	case d.awaitingFrame:
		d.recovered, d.awaitingFrame = isSelfWritten(line), false
	}
	d.stackBytes += len(line) + 1
	if room := maxStackBytes + maskSlack - d.stack.Len(); room > 0 {
		d.stack.WriteString(cut(line, room))
		d.stack.WriteByte('\n')
	}
}

func (d *dump) isOver(now time.Time) bool {
	return now.Sub(d.last) > dumpQuiet || now.Sub(d.began) > dumpTime
}

// record returns what was found.
func (d *dump) record() *messages.PanicRecord {
	p := &messages.PanicRecord{OccurredAt: d.at.UTC(), Component: d.component, Recovered: d.recovered, ProcessMetadata: map[string]string{}}
	p.PanicValue = clean(d.value.String(), maxPanicBytes)
	p.GoroutineStack = cleanStack(strings.TrimRight(d.stack.String(), "\n"), d.stackBytes)
	for name, value := range d.fields {
		setField(p.ProcessMetadata, name, value)
	}
	if d.goroutines > 0 {
		setField(p.ProcessMetadata, "goroutines", strconv.Itoa(d.goroutines))
	}
	if name, detail, found := strings.Cut(d.signal, ": "); found {
		setField(p.ProcessMetadata, "signal", name)
		setField(p.ProcessMetadata, "signal_detail", detail)
	}
	return p
}
