package agent

import (
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"
	"fodc/recorder"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

const (
	// chunkBytes bounds the part of a snapshot in a chunk. The rest of the chunk is for the
	// frame around it.
	chunkBytes = wire.MaxChunkBytes - 4<<10
	// maxBaselineBytes bounds an answer in baseline form, which is one message: a proxy
	// may take 4 MiB and no more.
	maxBaselineBytes = 4<<20 - 64<<10
)

// snapshotReader reads the past of an answer and then a snapshot, part by part. It reads one part
// of the snapshot ahead, because a chunk says whether another one follows.
type snapshotReader struct {
	snapshot *recorder.Snapshot
	partial  messages.PartialReason // why it has less than what was asked for
	next     []messages.Block       // nil: there is none
	begun    bool
	// past opens what is on disk, part is what was read of it and is not written yet.
	past func() (pastReader, error)
	part []messages.Block
	// gathered is the past of a baseline answer, nil if it has none.
	gathered *gatheredPast
}

// encode returns the next frame of the snapshot, and whether more follow. An answer without a
// dictionary does not touch the encoder, since others may be sent between its frames.
func (r *snapshotReader) encode(to *wire.DictionaryEncoder, req metricsRequest) (frame *wire.StreamMetricsRequest, more bool) {
	if !r.begun && req.dictionary != 0 {
		to.Begin(req.dictionary)
	}
	blocks, more := r.read(chunkBytes)
	a := wire.Answer{RequestID: req.id, Blocks: blocks, More: more}
	if !more {
		a.Partial = r.partial
	}
	if req.dictionary == 0 {
		return wire.AnswerFrame(a), more
	}
	return to.Frame(a), more
}

// encodePast returns a frame with the part of the past that was read. Another one always follows:
// the snapshot has at least one, which is empty if the snapshot is.
func (r *snapshotReader) encodePast(req metricsRequest) *wire.StreamMetricsRequest {
	frame := wire.AnswerFrame(wire.Answer{RequestID: req.id, Blocks: r.part, More: true})
	r.part = nil
	return frame
}

func (r *snapshotReader) read(budget int) (blocks []messages.Block, more bool) {
	if !r.begun {
		r.begun, r.next = true, r.snapshot.Next(budget)
	}
	blocks = r.next
	r.next = r.snapshot.Next(budget)
	return blocks, r.next != nil
}

// metricsResponder answers what a proxy asks on the metrics channel.
type metricsResponder struct {
	u                *uplink
	stream           *stream[proto.Message] // nil: there is none
	answers          answerQueue
	snapshots        map[uint64]*snapshotReader // of the answers, by seq
	past             *pastRead                  // the newest goroutine that reads from disk for an answer; nil: none yet
	pastFailure      failureLog                 // of answers without a part that is on disk
	encoder          wire.DictionaryEncoder
	baseline         *wire.BaselineLabels
	truncationLogged bool // a baseline answer did not fit its message, and that was logged
	due              actors.Timer
}

func newMetricsResponder(u *uplink) *metricsResponder {
	return &metricsResponder{u: u, snapshots: map[uint64]*snapshotReader{}, baseline: &wire.BaselineLabels{}}
}

func (a *metricsResponder) opened(s *stream[proto.Message]) { a.stream = s }

// asked queues a request and asks the recorder for a snapshot.
func (a *metricsResponder) asked(c actors.Context, frame proto.Message) {
	req, err := wire.FromRequest(frame.(*wire.StreamMetricsResponse))
	r := metricsRequest{id: req.ID, columnar: req.Columnar, selection: req.Selection, dictionary: req.Dictionary, timeLeft: req.TimeLeft}
	if err != nil {
		r.invalid = "the request: " + err.Error()
	}
	if !r.columnar { // The baseline form has no place for either.
		r.selection.ScrapeTimes, r.selection.SeriesOnly = false, false
	}
	seq, ask, credit := a.answers.requested(r, time.Now())
	if credit {
		a.stream.credits.Return()
	}
	if ask {
		actors.Request(c, a.u.cfg.recorder, read{seq, r.selection})
	}
	a.answer(c)
}

func (a *metricsResponder) onSnapshot(c actors.Context, m snapshotTaken) {
	if !a.answers.snapshotted(m.seq, m.past != nil) {
		return
	}
	r := &snapshotReader{snapshot: m.snapshot, partial: m.partial, past: m.past}
	a.snapshots[m.seq] = r
	if m.past != nil && !a.answers.find(m.seq).request.columnar && !r.gather() {
		a.answers.endPast(m.seq)
	}
	a.answer(c)
}

func (a *metricsResponder) written(c actors.Context) {
	a.answers.written()
	a.answer(c)
}

func (a *metricsResponder) tick(c actors.Context, m actors.Tick) {
	if a.due.Fired(m) {
		a.answer(c)
	}
}

func (a *metricsResponder) disarm() { a.due.Disarm() }

// answer passes the frames that are ready to the writer of the stream.
func (a *metricsResponder) answer(c actors.Context) {
	if a.stream == nil || a.u.state.phase != uplinkLive {
		return
	}
	now := time.Now()
	for {
		a.readPast(c, now)
		step, ok := a.answers.next(now)
		if !ok {
			break
		}
		frame, more := a.frame(step, now)
		a.stream.out.Offer(frame) // never full: see maxAnswerFrames
		if !more {
			delete(a.snapshots, step.seq)
		}
		if a.answers.queued(!more) {
			a.stream.credits.Return()
		}
	}
	if at := a.answers.wakeAt(); at.IsZero() {
		a.due.Disarm()
	} else {
		a.due.Arm(c, at.Sub(now))
	}
}

// frame returns the next frame of an answer, and whether more follow.
func (a *metricsResponder) frame(step answerStep, now time.Time) (frame *wire.StreamMetricsRequest, more bool) {
	r := a.snapshots[step.seq]
	switch {
	case step.failure != "" && step.request.columnar:
		return wire.AnswerFrame(wire.Answer{RequestID: step.request.id, Error: step.failure}), false
	case step.failure != "":
		// A baseline proxy pairs answers by their order, and its answers have no error: send an
		// empty one.
		frame, _ = a.baseline.Frame(nil, now, maxBaselineBytes)
	case step.past:
		a.past.next() // while the part before it is being written
		return r.encodePast(step.request), true
	case step.request.columnar:
		return r.encode(&a.encoder, step.request)
	default:
		frame = a.baselineFrame(r, now)
	}
	frame.RequestId = step.request.id
	return frame, false
}

func (a *metricsResponder) baselineFrame(r *snapshotReader, now time.Time) *wire.StreamMetricsRequest {
	blocks, left := r.readAll()
	frame, more := a.baseline.Frame(blocks, now, maxBaselineBytes)
	left += more
	if left > 0 && !a.truncationLogged {
		a.truncationLogged = true
		a.u.log.Warn("an answer does not fit the one message that this proxy knows: its oldest samples are left out",
			zap.Int("samples", left), zap.Int("bytes", maxBaselineBytes))
	}
	return frame
}

func (a *metricsResponder) closed() {
	a.stream = nil
	a.answers.clear()
	a.encoder = wire.DictionaryEncoder{}
	clear(a.snapshots) // What reads a past ends with the stream.
	a.due.Disarm()
}
