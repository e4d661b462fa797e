package agent

import (
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"
	"fodc/recorder"

	"go.uber.org/zap"
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

// onRequest queues a request and asks the recorder for a snapshot. A request on a stream that
// was replaced is dropped, because its answer could not be sent.
func (u *uplink) onRequest(c actors.Context, m actors.Frame[*wire.StreamMetricsResponse]) {
	if u.metrics == nil || m.Stream != u.metrics.id {
		return
	}
	u.state.metricsUsed()
	req, err := wire.FromRequest(m.Body)
	r := metricsRequest{id: req.ID, columnar: req.Columnar, selection: req.Selection, dictionary: req.Dictionary, timeLeft: req.TimeLeft}
	if err != nil {
		r.invalid = "the request: " + err.Error()
	}
	if !r.columnar { // The baseline form has no place for either.
		r.selection.ScrapeTimes, r.selection.SeriesOnly = false, false
	}
	seq, ask, credit := u.answers.requested(r, time.Now())
	if credit {
		u.metrics.credits.Return()
	}
	if ask {
		actors.Request(c, u.cfg.recorder, read{seq, r.selection})
	}
	u.answer(c)
}

func (u *uplink) onSnapshot(c actors.Context, m snapshotTaken) {
	if !u.answers.snapshotted(m.seq, m.past != nil) {
		return
	}
	r := &snapshotReader{snapshot: m.snapshot, partial: m.partial, past: m.past}
	u.snapshots[m.seq] = r
	if m.past != nil && !u.answers.find(m.seq).request.columnar && !r.gather() {
		u.answers.endPast(m.seq)
	}
	u.answer(c)
}

func (u *uplink) onFrameWritten(c actors.Context, m actors.FrameWritten) {
	if u.metrics != nil && m.Stream == u.metrics.id {
		u.answers.written()
		u.answer(c)
	}
}

// answer passes the frames that are ready to the writer of the stream.
func (u *uplink) answer(c actors.Context) {
	if u.metrics == nil || u.state.phase != uplinkLive {
		return
	}
	now := time.Now()
	for {
		u.readPast(c, now)
		step, ok := u.answers.next(now)
		if !ok {
			break
		}
		frame, more := u.frame(step, now)
		u.metrics.out.Offer(frame) // never full: see maxAnswerFrames
		if !more {
			delete(u.snapshots, step.seq)
		}
		if u.answers.queued(!more) {
			u.metrics.credits.Return()
		}
	}
	if at := u.answers.wakeAt(); at.IsZero() {
		u.answerDue.Disarm()
	} else {
		u.answerDue.Arm(c, at.Sub(now))
	}
}

// frame returns the next frame of an answer, and whether more follow.
func (u *uplink) frame(step answerStep, now time.Time) (frame *wire.StreamMetricsRequest, more bool) {
	r := u.snapshots[step.seq]
	switch {
	case step.failure != "" && step.request.columnar:
		return wire.AnswerFrame(wire.Answer{RequestID: step.request.id, Error: step.failure}), false
	case step.failure != "":
		// A baseline proxy pairs answers by their order, and its answers have no error: send an
		// empty one.
		frame, _ = u.baseline.Frame(nil, now, maxBaselineBytes)
	case step.past:
		u.past.next() // while the part before it is being written
		return r.encodePast(step.request), true
	case step.request.columnar:
		return r.encode(&u.encoder, step.request)
	default:
		frame = u.baselineFrame(r, now)
	}
	frame.RequestId = step.request.id
	return frame, false
}

func (u *uplink) baselineFrame(r *snapshotReader, now time.Time) *wire.StreamMetricsRequest {
	blocks, left := r.readAll()
	frame, more := u.baseline.Frame(blocks, now, maxBaselineBytes)
	left += more
	if left > 0 && !u.truncationLogged {
		u.truncationLogged = true
		u.log.Warn("an answer does not fit the one message that this proxy knows: its oldest samples are left out",
			zap.Int("samples", left), zap.Int("bytes", maxBaselineBytes))
	}
	return frame
}

// dropAnswers drops the pending answers of a stream that has ended.
func (u *uplink) dropAnswers() {
	u.answers.clear()
	u.encoder = wire.DictionaryEncoder{}
	clear(u.snapshots) // What reads a past ends with the stream.
	u.answerDue.Disarm()
}
