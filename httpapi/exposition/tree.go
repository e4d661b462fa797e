package exposition

import (
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
// children indented below their parent, then those that ended. The error is that
// of w.
func WriteTree(w io.Writer, t messages.ActorTree) error {
	var failures []messages.ActorNode
	b := &strings.Builder{}
	fmt.Fprintf(b, "Actors at %s, dead letters: %d\n\n", t.At.UTC().Format(jsonTime), t.DeadLetters)
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ACTOR\tKIND\tSTATE\tMAILBOX\tPEAK\tHANDLED\tRESTARTS\tFAILURES\tAGE\tBUSY")
	walk(t.Actors, 0, func(a *messages.ActorNode, depth int) {
		writeActor(table, a, depth, t.At)
		if a.LastFailure != nil {
			failures = append(failures, *a)
		}
	})
	_ = table.Flush() // A Builder takes everything.

	if len(failures) > 0 {
		b.WriteString("\nLast failures\n")
	}
	for _, a := range failures {
		fmt.Fprintf(b, "  %s at %s on %s: %s\n", cell(a.ID), a.LastFailure.At.UTC().Format(jsonTime),
			cell(a.LastFailure.Message), cell(a.LastFailure.Reason))
	}
	if len(t.Ended) > 0 {
		b.WriteString("\nEnded\n")
	}
	for _, e := range t.Ended {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", cell(e.ID), cell(e.Kind), e.Ended.UTC().Format(jsonTime), cell(e.Reason))
	}
	_ = table.Flush()
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
	fmt.Fprintf(w, "%s%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n",
		strings.Repeat("  ", depth), cell(name), cell(a.Kind), state, a.Mailbox, a.MailboxPeak,
		a.Handled, a.Restarts, a.Failures, now.Sub(a.Started).Round(time.Second), busy)
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}

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
