package agent

import (
	"math"
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

// snapshotReader reads a snapshot part by part. It reads one part ahead, because a chunk says
// whether another one follows.
type snapshotReader struct {
	snapshot *recorder.Snapshot
	partial  messages.PartialReason // why it has less than what was asked for
	next     []messages.Block       // nil: there is none
	begun    bool
}

// encode returns the next frame of the answer, and whether more follow.
func (r *snapshotReader) encode(to *wire.DictionaryEncoder, req metricsRequest) (frame *wire.StreamMetricsRequest, more bool) {
	if !r.begun {
		to.Begin(req.dictionary)
	}
	blocks, more := r.read(chunkBytes)
	a := wire.Answer{RequestID: req.id, Blocks: blocks, More: more}
	if !more {
		a.Partial = r.partial
	}
	return to.Frame(a), more
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
	if u.answers.snapshotted(m.seq) {
		u.snapshots[m.seq] = &snapshotReader{snapshot: m.snapshot}
		u.answer(c)
	}
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
	case step.request.columnar:
		return r.encode(&u.encoder, step.request)
	default:
		frame = u.baselineFrame(r, now)
	}
	frame.RequestId = step.request.id
	return frame, false
}

func (u *uplink) baselineFrame(r *snapshotReader, now time.Time) *wire.StreamMetricsRequest {
	blocks, _ := r.read(math.MaxInt)
	frame, left := u.baseline.Frame(blocks, now, maxBaselineBytes)
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
	clear(u.snapshots)
	u.answerDue.Disarm()
}
