package export

import (
	"fmt"
	"io"
	"os"

	"fodc/modes/logsink"
)

// report tells the user what happens, on stderr.
type report struct {
	w io.Writer
	// prefix begins each line.
	prefix string
	// terminal says that a person sees it.
	terminal bool
	// shown says that a line of progress is on the screen.
	shown bool
	// warned are the warnings that were shown: what is read again warns again.
	warned map[string]bool
}

func newReport(w io.Writer, prefix string) *report {
	return &report{w: w, prefix: prefix, terminal: isTerminal(w), warned: make(map[string]bool)}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress shows on a terminal which part of how many is under way.
func (r *report) progress(what string, i, n int) {
	if !r.terminal {
		return
	}
	fmt.Fprintf(r.w, "\r\x1b[K%s: %s %d of %d", r.prefix, what, i, n)
	r.shown = true
}

// end removes the line of progress.
func (r *report) end() {
	if r.shown {
		fmt.Fprint(r.w, "\r\x1b[K")
	}
	r.shown = false
}

// warn shows a warning in one line, the same one once.
func (r *report) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if r.warned[text] {
		return
	}
	r.warned[text] = true
	r.end()
	fmt.Fprintln(r.w, logsink.Printable(r.prefix+": warning: "+text))
}

// leftOut warns of n things that were not written.
func (r *report) leftOut(n int, what, why string) {
	if n > 0 {
		r.warn("%d %s are left out: %s", n, what, why)
	}
}
