package query

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"fodc/modes/logsink"
)

// Range is the range of time that was asked for.
type Range struct {
	Start, End time.Time
	Step       time.Duration
}

// Screen is where a person sees a result.
type Screen struct {
	// Width is how many columns there are.
	Width int
	// Color: lines may have colors.
	Color bool
}

// WriteTable writes the result for a person: a chart if it is that of the range, which is nil for
// an expression that was evaluated once; else a table.
func (r *Response) WriteTable(to io.Writer, of *Range, s Screen) error {
	result, err := parseResult(r.Data)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(to)
	switch {
	case result.kind == typeString:
		fmt.Fprintln(w, logsink.Printable(result.text))
	case len(result.series) == 0:
		fmt.Fprintln(w, "no series")
	case result.kind == typeMatrix && of != nil:
		writeChart(w, result.series, *of, s)
	case result.kind == typeMatrix:
		writeSamples(w, result.series)
	default:
		writeVector(w, result.series)
	}
	return w.Flush()
}

// WriteJSON writes the data as the server has it, in one line.
func (r *Response) WriteJSON(to io.Writer) error {
	var line bytes.Buffer
	if err := json.Compact(&line, r.Data); err != nil {
		return fmt.Errorf("read the result: %w", err)
	}
	_, err := io.WriteString(to, logsink.Printable(line.String())+"\n")
	return err
}
