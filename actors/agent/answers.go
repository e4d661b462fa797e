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
	// chunkBytes is what a part of a snapshot may take in a chunk: the rest is room for
	// what stands around it.
	chunkBytes = wire.MaxChunkBytes - 4<<10
	// maxBaselineBytes bounds an answer in baseline form, which is one message: a proxy
	// may take 4 MiB and no more.
	maxBaselineBytes = 4<<20 - 64<<10
)

// reading reads a snapshot part by part, one part ahead, because a chunk says whether
// another one follows.
type reading struct {
	snapshot *recorder.Snapshot
	ahead    []messages.Block
	begun    bool
}

// describe makes the next frame of the answer.
func (r *reading) describe(to *wire.DictionaryEncoder, req metricsRequest) (frame *wire.StreamMetricsRequest, more bool) {
	if !r.begun {
		to.Begin(req.dictionary)
	}
	blocks, more := r.next(chunkBytes)
	return to.Frame(wire.Answer{RequestID: req.id, Blocks: blocks, More: more}), more
}

func (r *reading) next(budget int) (blocks []messages.Block, more bool) {
	if !r.begun {
		r.begun, r.ahead = true, r.snapshot.Next(budget)
	}
	blocks = r.ahead
	r.ahead = r.snapshot.Next(budget)
	return blocks, r.ahead != nil
}

// onRequest queues a request and asks the recorder. A request on a stream that was
// replaced is dropped: nobody waits for it.
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
		u.readings[m.seq] = &reading{snapshot: m.snapshot}
		u.answer(c)
	}
}

func (u *uplink) onFrameWritten(c actors.Context, m actors.FrameWritten) {
	if u.metrics != nil && m.Stream == u.metrics.id {
		u.answers.written()
		u.answer(c)
	}
}

// answer queues at the writer what can be answered now.
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
		u.metrics.out.Offer(frame) // it has room: see maxAnswerFrames
		if !more {
			delete(u.readings, step.seq)
		}
		if u.answers.made(!more) {
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
	r := u.readings[step.seq]
	switch {
	case step.failure != "" && step.request.columnar:
		return wire.AnswerFrame(wire.Answer{RequestID: step.request.id, Error: step.failure}), false
	case step.failure != "":
		// A baseline proxy knows no errors: an empty answer keeps the order.
		frame, _ = u.baseline.Frame(nil, now, maxBaselineBytes)
	case step.request.columnar:
		return r.describe(&u.describer, step.request)
	default:
		frame = u.baselineFrame(r, now)
	}
	frame.RequestId = step.request.id
	return frame, false
}

func (u *uplink) baselineFrame(r *reading, now time.Time) *wire.StreamMetricsRequest {
	blocks, _ := r.next(math.MaxInt)
	frame, left := u.baseline.Frame(blocks, now, maxBaselineBytes)
	if left > 0 && !u.cutTold {
		u.cutTold = true
		u.log.Warn("an answer does not fit the one message that this proxy knows: its oldest samples are left out",
			zap.Int("samples", left), zap.Int("bytes", maxBaselineBytes))
	}
	return frame
}

// dropAnswers forgets the answers of a stream that is gone.
func (u *uplink) dropAnswers() {
	u.answers.clear()
	u.describer = wire.DictionaryEncoder{}
	clear(u.readings)
	u.answerDue.Disarm()
}
