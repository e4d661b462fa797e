package export

import (
	"context"
	"time"

	"fodc/messages"
	"fodc/recorder/journal"
	"fodc/recorder/promstore"
)

// readBytes is how much of a journal is decoded at once.
const readBytes = 1 << 20

// reader returns samples part by part, and none at the end. An error is returned once: the reader
// goes on behind what it could not read.
type reader interface {
	Next(budget int) ([]messages.Block, error)
	Damage() []journal.SegmentDamage
	Close()
}

// node is a node whose samples are in a journal.
type node struct {
	identity messages.Identity
	labels   *promstore.NodeLabels
	// from and to bound the times of its samples, in unix milliseconds.
	from, to int64
	// read reads the samples of a selection that is bounded by times.
	read func(messages.Selection) reader
}

// each calls f with the samples of the families from one time to another, in unix milliseconds and
// both included. No name means all families.
//
// What cannot be read is left out, with a warning.
func (n *node) each(ctx context.Context, o *report, from, to int64, names []string, f func(*messages.Block) error) error {
	if from, to = max(from, n.from), min(to, n.to); from > to {
		return nil
	}
	r := n.read(messages.Selection{Window: messages.Window{Start: time.UnixMilli(from), End: time.UnixMilli(to)}, Names: names})
	defer r.Close()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		some, err := r.Next(readBytes)
		switch {
		case err != nil:
			o.warn("%v: the rest of the segment is left out", err)
		case len(some) == 0:
			for _, d := range r.Damage() {
				why := ""
				if d.Torn {
					why = ", since its write was interrupted or is under way"
				}
				o.warn("%s is %v: the rest of it is left out%s", d.Name, d.Damage, why)
			}
			return nil
		}
		for i := range some {
			if err := f(&some[i]); err != nil {
				return err
			}
		}
	}
}
