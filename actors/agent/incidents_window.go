package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
)

const (
	// windowPart is how much of a window is read at a time, maxWindowPartBytes how much memory that may take.
	windowPart         = 2 * time.Minute
	maxWindowPartBytes = 64 << 20
	// windowTimeout bounds the time to read and write a window, windowPartTimeout that of a part.
	windowTimeout     = 90 * time.Second
	windowPartTimeout = 10 * time.Second
	// windowPause is the time between two parts, so that they do not take all of the processor time of an agent at once, maxWindowPauses
	// all of it.
	windowPause     = 5 * time.Second
	maxWindowPauses = 30 * time.Second
	// maxWindowBytes bounds the file of a window, maxEventsBytes that of the events.
	maxWindowBytes = 128 << 20
	maxEventsBytes = 4 << 20
	eventsTimeout  = 5 * time.Second
	// recoveryWait is how long a freeze waits for what was recorded before the start of the agent: longer than that takes
	// at most. recoveryLook is the time between two looks.
	recoveryWait = recoveryTimeout + 30*time.Second
	recoveryLook = 250 * time.Millisecond

	windowFile = "window.journal"
	eventsFile = "events.json"
)

var errNothingRecorded = errors.New("nothing was recorded in this time")

// writeWindow writes what was recorded in the time of an incident. With an error there may be a file nevertheless, which
// lacks something.
func (i *incidents) writeWindow(ctx context.Context, run *incidentRun, doc *messages.Incident) ([]messages.EvidenceFile, error) {
	ctx, cancel := context.WithTimeout(ctx, windowTimeout)
	defer cancel()
	out, err := run.store.CreateWhole(run.id, path.Join(run.dir, windowFile), messages.EvidenceWindow, maxWindowBytes)
	if err != nil {
		return nil, err
	}
	defer out.Abort()
	w := windowReader{ctx: ctx, read: i.agent.Read, from: doc.From, to: doc.To, pause: pauseOfWindow(doc)}
	info, err := journal.WriteSegment(out, journalNode(i.agent.identity.registration()), time.Now().UnixMilli(), w.batches())
	switch {
	case err != nil:
		return nil, err
	case info.LastNumber == 0:
		return nil, errors.Join(w.lack, errNothingRecorded)
	}
	file, err := out.Commit()
	if err != nil {
		return nil, err
	}
	return []messages.EvidenceFile{file}, w.lack
}

// awaitRecovery waits until what was recorded before the start of the agent can be read from a time on, or it is known that
// it cannot.
func (i *incidents) awaitRecovery(ctx context.Context, from time.Time) {
	ctx, cancel := context.WithTimeout(ctx, recoveryWait)
	defer cancel()
	tick := time.NewTicker(recoveryLook)
	defer tick.Stop()
	question := read{selection: messages.Selection{Window: messages.Window{Start: from, End: from}, Names: []string{goroutineMetric}}}
	for {
		taken, err := actors.Ask[snapshotTaken](ctx, i.sys, i.agent.recorder, question)
		if err == nil && taken.partial != messages.PartialRecovering {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// windowReader reads a window in parts.
type windowReader struct {
	ctx      context.Context
	read     func(ctx context.Context, sel messages.Selection, take func(int64) error) (messages.NodeAnswer, error)
	from, to time.Time
	pause    time.Duration
	// lack is the first reason why it is not whole.
	lack error
}

// pauseOfWindow returns the time between two parts of a window. For one that ends with its opening somebody waits.
func pauseOfWindow(doc *messages.Incident) time.Duration {
	if !doc.To.After(doc.OpenedAt) {
		return 0
	}
	return min(windowPause, maxWindowPauses/max(doc.To.Sub(doc.From)/windowPart, 1))
}

// rest makes the pause between two parts.
func (w *windowReader) rest() {
	if w.pause <= 0 {
		return
	}
	select {
	case <-time.After(w.pause):
	case <-w.ctx.Done():
	}
}

// batches yields the scrapes. A part that cannot be read is left out.
func (w *windowReader) batches() iter.Seq2[*recorder.Batch, error] {
	return func(yield func(*recorder.Batch, error) bool) {
		batcher := recorder.NewBatcher()
		for from := w.from.Truncate(time.Millisecond); !from.After(w.to); from = from.Add(windowPart) {
			to := from.Add(windowPart - time.Millisecond)
			if to.After(w.to) {
				to = w.to
			}
			blocks, err := w.part(from, to)
			if err != nil && w.lack == nil {
				w.lack = fmt.Errorf("the time from %s on is not whole: %w", from.UTC().Format(time.RFC3339), err)
			}
			for b := range batcher.Of(blocks) {
				if !yield(b, nil) {
					return
				}
			}
			if !to.Before(w.to) {
				return
			}
			if w.rest(); w.ctx.Err() != nil {
				return
			}
		}
	}
}

func (w *windowReader) part(from, to time.Time) ([]messages.Block, error) {
	ctx, cancel := context.WithTimeout(w.ctx, windowPartTimeout)
	defer cancel()
	var taken int64
	sel := messages.Selection{Window: messages.Window{Start: from, End: to}, ScrapeTimes: true}
	answer, err := w.read(ctx, sel, func(bytes int64) error {
		if taken += bytes; taken > maxWindowPartBytes {
			return fmt.Errorf("%s of it take more than %d MiB", windowPart, maxWindowPartBytes>>20)
		}
		return nil
	})
	if err == nil && answer.Partial != messages.PartialNone {
		err = fmt.Errorf("the journal does not give all of it (%s)", answer.Partial)
	}
	return answer.Blocks, err
}

// writeEvents writes the timeline of the incident.
func (i *incidents) writeEvents(self sender, run *incidentRun) (messages.EvidenceFile, error) {
	ctx, cancel := context.WithTimeout(self.ctx, eventsTimeout)
	defer cancel()
	events, err := i.eventsOf(ctx, run.id, self)
	if err != nil {
		return messages.EvidenceFile{}, err
	}
	out, err := run.store.CreateWhole(run.id, path.Join(run.dir, eventsFile), messages.EvidenceEvents, maxEventsBytes)
	if err != nil {
		return messages.EvidenceFile{}, err
	}
	defer out.Abort()
	if events == nil {
		events = []messages.IncidentEvent{}
	}
	text, err := json.MarshalIndent(events, "", "  ")
	if err == nil {
		_, err = out.Write(append(text, '\n'))
	}
	if err != nil {
		return messages.EvidenceFile{}, err
	}
	return out.Commit()
}
