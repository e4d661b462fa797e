package capture

import (
	"bytes"
	"errors"
	"io"
)

// lineWriter writes a text that comes in parts, line by line, as textWriter does.
type lineWriter struct {
	t    *textWriter
	line []byte // the last one, without its end; what is behind maxLine is left out
}

func newLineWriter(w io.Writer) *lineWriter { return &lineWriter{t: newTextWriter(w)} }

// Write implements io.Writer.
func (l *lineWriter) Write(p []byte) (int, error) {
	for rest, ended := p, true; ended; {
		var part []byte
		part, rest, ended = bytes.Cut(rest, []byte{'\n'})
		l.line = append(l.line, part[:min(len(part), maxLine+1-len(l.line))]...)
		if ended {
			l.t.line(string(l.line))
			l.line = l.line[:0]
		}
	}
	if l.t.err != nil {
		return 0, l.t.err
	}
	return len(p), nil
}

// close writes the last line of a text. Behind an error it is left out: a half of a secret is not known as one.
func (l *lineWriter) close(err error) error {
	if err == nil && len(l.line) > 0 {
		l.t.line(string(l.line))
	}
	return errors.Join(err, l.t.flush())
}
