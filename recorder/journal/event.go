package journal

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"fodc/recorder"
)

// Limits of an event, in bytes. The encoder cuts a longer detail.
const (
	maxEventKindBytes   = 64
	maxEventDetailBytes = 4 << 10
)

// AppendEvent writes an event that no scrape shows. After an error it is not in the journal, as far as is known: it must not be
// appended again. The errors are those of Append. Only an event of a segment that has a scrape, too, is read back.
func (w *Writer) AppendEvent(e recorder.Event, now time.Time) error {
	if err := w.ready(now); err != nil {
		return err
	}
	if w.current == nil {
		if err := w.beginSegment(now); err != nil {
			return err
		}
	}
	frame, err := w.encoder.appendEvent(w.buffer[:0], e)
	w.keepBuffer(frame)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	size := int64(len(frame)) + reserve(w.encoder)
	switch fits, err := w.makeRoom(size, now); {
	case err != nil:
		return err
	case !fits:
		return fmt.Errorf("%w: an event of %d bytes has no room (--storage-retention-size)", ErrInvalid, size)
	}
	if err := w.takeSpace(size, now); err != nil {
		return err
	}
	return w.writeFrame(frame, now)
}

// appendEvent appends an event. After an error dst is unchanged. Nothing else builds on it.
func (e *encoder) appendEvent(dst []byte, event recorder.Event) ([]byte, error) {
	if len(event.Kind) > maxEventKindBytes || len(event.Target) > maxTargetNameBytes {
		return dst, fmt.Errorf("an event whose kind has %d bytes and whose target has %d: they may have %d and %d", len(event.Kind), len(event.Target),
			maxEventKindBytes, maxTargetNameBytes)
	}
	start := len(dst)
	dst = binary.AppendVarint(beginFrame(dst, typeEvent), event.At.UnixMilli())
	dst = appendText(dst, string(event.Kind))
	dst = appendText(dst, event.Target)
	dst = appendText(dst, event.Detail[:min(len(event.Detail), maxEventDetailBytes)])
	_, _ = endFrame(dst, start, e.sum) // An event is small.
	return dst, nil
}

// parseEvent reads what appendEvent wrote. A later program may add fields at its end.
func parseEvent(b body) (e recorder.Event, ok bool) {
	at := time.UnixMilli(b.varint())
	kind, target := valid(b.text(maxEventKindBytes)), valid(b.text(maxTargetNameBytes))
	e = recorder.Event{Kind: recorder.EventKind(kind), Target: target, At: at, Last: at, Detail: valid(b.text(maxEventDetailBytes))}
	return e, !b.bad
}

func valid(text string) string { return strings.ToValidUTF8(text, "") }
