package exposition

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"fodc/messages"
)

// maxCell bounds a text in the tree, in characters: panics can be long.
const maxCell = 120

// WriteTree writes the actors of a process for people to read: a line for each,
// children indented below their parent, then those that ended, then the last failure
// of each with its stack. The error is that of w.
func WriteTree(w io.Writer, t messages.ActorTree) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "Actors at %s, dead letters: %d\n\n", t.At.UTC().Format(jsonTime), t.DeadLetters)
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ACTOR\tKIND\tSUBJECT\tSTATE\tMAILBOX\tPEAK\tHANDLED\tRESTARTS\tFAILURES\tAGE\tBUSY")
	walk(t.Actors, 0, func(a *messages.ActorNode, depth int) { writeActor(table, a, depth, t.At) })
	_ = table.Flush() // A Builder takes everything.
	if len(t.Ended) > 0 {
		b.WriteString("\nEnded\n")
	}
	for _, e := range t.Ended {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", cell(e.ID), cell(e.Kind), orDash(e.Subject), e.Ended.UTC().Format(jsonTime), cell(e.Reason))
	}
	_ = table.Flush()
	writeFailures(b, t)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the actor tree: %w", err)
	}
	return nil
}

func walk(actors []messages.ActorNode, depth int, f func(a *messages.ActorNode, depth int)) {
	for i := range actors {
		f(&actors[i], depth)
		walk(actors[i].Children, depth+1, f)
	}
}

func writeActor(w io.Writer, a *messages.ActorNode, depth int, now time.Time) {
	// Indented below its parent an actor needs only the end of its path.
	name := a.ID
	if depth > 0 {
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	state := cell(a.State)
	if a.Orphan {
		state += " (orphan)"
	}
	busy := "-"
	if a.Busy != "" {
		busy = fmt.Sprintf("%s for %s", cell(a.Busy), seconds(a.BusySeconds))
	}
	fmt.Fprintf(w, "%s%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n",
		strings.Repeat("  ", depth), cell(name), cell(a.Kind), orDash(a.Subject), state, a.Mailbox, a.MailboxPeak,
		a.Handled, a.Restarts, a.Failures, now.Sub(a.Started).Round(time.Second), busy)
}

// writeFailures writes them of the actors that live, then of those that ended.
func writeFailures(b *strings.Builder, t messages.ActorTree) {
	heading := "\nLast failures\n"
	write := func(id string, f *messages.Failure) {
		if f == nil {
			return
		}
		b.WriteString(heading)
		heading = ""
		fmt.Fprintf(b, "  %s at %s on %s: %s\n", cell(id), f.At.UTC().Format(jsonTime), cell(f.Message), cell(f.Reason))
		for line := range strings.Lines(f.Stack) {
			indent := strings.Repeat("  ", 2+len(line)-len(strings.TrimLeft(line, "\t")))
			b.WriteString(indent + cell(strings.TrimSpace(line)) + "\n")
		}
	}
	walk(t.Actors, 0, func(a *messages.ActorNode, _ int) { write(a.ID, a.LastFailure) })
	for _, e := range t.Ended {
		write(e.ID, e.LastFailure)
	}
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}

func orDash(s string) string { return cmp.Or(cell(s), "-") }

// cell makes one short line of a text, without what would move the cursor.
func cell(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > maxCell {
		s = string([]rune(s)[:maxCell]) + "…"
	}
	return s
}
