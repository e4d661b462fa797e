package logsink

import (
	"bytes"
	"io"
	"strings"
)

// Writer writes lines as Printable does, with their ends and tabs: JSON means the same as before. It keeps an error.
type Writer struct {
	to   io.Writer
	line []byte // the last one, without its end
	err  error
}

// NewWriter returns a writer. Close writes the last line, if it has no end.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Write implements io.Writer.
func (w *Writer) Write(text []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	if whole == 0 {
		w.line = append(w.line, text...)
		return len(text), nil
	}
	var shown []byte
	for line := range strings.Lines(string(w.line) + string(text[:whole])) {
		shown = append(appendPrintable(shown, strings.TrimSuffix(line, "\n"), true), '\n')
	}
	w.line = append(w.line[:0], text[whole:]...)
	if _, w.err = w.to.Write(shown); w.err != nil {
		return 0, w.err
	}
	return len(text), nil
}

// Close writes the rest.
func (w *Writer) Close() error {
	if w.err == nil && len(w.line) > 0 {
		_, w.err = w.to.Write(appendPrintable(nil, string(w.line), true))
		w.line = nil
	}
	return w.err
}

// Err is the first error.
func (w *Writer) Err() error { return w.err }
