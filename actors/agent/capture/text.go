package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"fodc/actors/agent/mask"
)

// maxLine bounds a line of a text, in bytes. The rest of a longer one is left out.
const maxLine = 1 << 20

// textWriter writes lines that others have written: without secrets, as valid UTF-8, and without what controls a
// terminal.
type textWriter struct {
	w     *bufio.Writer
	lines mask.Lines
	// written counts the lines of others, masked the masks in them.
	written, masked int
	err             error
}

func newTextWriter(w io.Writer) *textWriter { return &textWriter{w: bufio.NewWriter(w)} }

// line writes a line, which is given without its end.
func (t *textWriter) line(text string) {
	if t.err != nil {
		return
	}
	note := ""
	if len(text) >= maxLine {
		note, text = "... (the rest of the line is left out)", text[:maxLine]
	}
	text = strings.TrimSuffix(text, "\r")
	t.written++
	valid := text
	if !isPlain(text) {
		valid = strings.ToValidUTF8(text, "\uFFFD")
	}
	masked := t.lines.Line(valid)
	if masked != valid {
		t.masked += max(1, strings.Count(masked, mask.Mark)-strings.Count(valid, mask.Mark))
	}
	if !isPlain(text) { // Most are, and a mask is, too.
		masked = printable(masked)
	}
	_, t.err = t.w.WriteString(masked)
	if t.err == nil {
		_, t.err = t.w.WriteString(note + "\n") // The error of a bufio.Writer stays.
	}
}

// note writes a line of our own.
func (t *textWriter) note(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", args...)
	}
}

func (t *textWriter) flush() error {
	if t.err == nil {
		t.err = t.w.Flush()
	}
	return t.err
}

// MaskText copies a text line by line, as it is captured, and returns how many lines it has, and how many masks were put into it.
func MaskText(w io.Writer, from io.Reader) (lines, masked int, err error) {
	t := newTextWriter(w)
	err = t.copy(from)
	return t.written, t.masked, errors.Join(t.flush(), err)
}

// copyText copies a text line by line.
func copyText(w io.Writer, from io.Reader) error {
	t := newTextWriter(w)
	err := t.copy(from)
	return errors.Join(t.flush(), err)
}

// copy writes the lines of a text. Its error is that of the reader.
func (t *textWriter) copy(from io.Reader) error {
	r := bufio.NewReader(from) // Of many files, most of them small.
	var line []byte
	for t.err == nil {
		part, err := r.ReadSlice('\n')
		line = append(line, part[:min(len(part), maxLine+1-len(line))]...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(line) > 0 {
			t.line(strings.TrimSuffix(string(line), "\n"))
		}
		line = line[:0]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// shownAlike is how many control characters of one kind in a row are shown.
const shownAlike = 4

// printable returns a text with its control characters as \x00 or \u0000, those that repeat counted.
func printable(text string) string {
	if strings.IndexFunc(text, isControl) < 0 {
		return text
	}
	var b strings.Builder
	alike := 0
	last := rune(-1)
	more := func() {
		if alike > shownAlike {
			fmt.Fprintf(&b, "(%d times)", alike)
		}
		alike = 0
	}
	for _, c := range text {
		if c != last {
			more()
		}
		last = c
		if !isControl(c) {
			b.WriteRune(c)
			continue
		}
		if alike++; alike <= shownAlike {
			b.WriteString(escaped(c))
		}
	}
	more()
	return b.String()
}

// escaped returns a character as Go writes it in a text.
func escaped(c rune) string {
	switch {
	case c > 0xffff:
		return fmt.Sprintf(`\U%08x`, c)
	case c > 0xff:
		return fmt.Sprintf(`\u%04x`, c)
	}
	return fmt.Sprintf(`\x%02x`, c)
}

// isPlain reports whether a text is ASCII that printable leaves as it is.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < ' ' || c >= 0x7f) && c != '\t' {
			return false
		}
	}
	return true
}

// isControl reports whether a character controls a terminal, ends a line, or turns the direction of writing: then a line reads otherwise
// than it is.
func isControl(c rune) bool {
	return c < ' ' && c != '\t' || 0x7f <= c && c < 0xa0 || c >= 0x200e && (c <= 0x200f || 0x2028 <= c && c <= 0x202e || 0x2066 <= c && c <= 0x2069 || c == 0xfeff)
}
