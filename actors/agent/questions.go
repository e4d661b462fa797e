package agent

import (
	"cmp"
	"context"
	"errors"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// questionResponder answers what a proxy asks on a channel, with a source.
type questionResponder struct {
	u      *uplink
	of     messages.Stream
	source *limitedSource
	// stream is the channel's, nil if there is none.
	stream  *stream[proto.Message]
	queue   questionQueue
	answers map[uint64]*sourceAnswer // by seq
	failure failureLog               // of answers with errors
	// cutLogged says that an answer did not fit its message, and that was logged.
	cutLogged bool
	// announced is the newest revision that the proxy was told of, or will ask for.
	announced messages.IncidentRevision
	due       actors.Timer
}

func newQuestionResponder(u *uplink, of messages.Stream, source *limitedSource) *questionResponder {
	return &questionResponder{u: u, of: of, source: source, answers: map[uint64]*sourceAnswer{}}
}

// opened takes a new stream, on which the proxy asks for what there is.
func (r *questionResponder) opened(s *stream[proto.Message]) {
	r.stream, r.announced = s, r.u.cfg.announcer.revision(r.of)
}

// closed drops all answers. Their goroutines end with the stream.
func (r *questionResponder) closed() {
	r.stream = nil
	r.queue.clear()
	clear(r.answers)
	r.due.Disarm()
}

func (r *questionResponder) asked(c actors.Context, frame proto.Message) {
	q, ask, err := wire.FromQuestion(frame)
	native := ask.ID == 0 || !r.u.session.welcome.Capabilities.StreamAnswers
	if native {
		ask.ID, ask.TimeLeft = 0, 0
	}
	if ask.ID != 0 && r.queue.isAsked(ask.ID) {
		r.stream.credits.Return() // The frame has come twice: a second answer would mix with the first one.
		return
	}
	if q == nil || native && errors.Is(err, wire.ErrNothingAsked) {
		r.stream.credits.Return() // Nobody waits for an answer.
		return
	}
	invalid := ""
	if err != nil {
		invalid = "the request: " + err.Error()
	}
	seq, credit := r.queue.asked(ask.ID, invalid, timeFor(q, ask), time.Now())
	r.answers[seq] = &sourceAnswer{seq: seq, form: answerForm{question: q, ask: ask}}
	if credit {
		r.stream.credits.Return()
	}
	r.answer(c)
}

// timeFor returns how long the answer may take.
func timeFor(q messages.Question, ask wire.Ask) time.Duration {
	if ask.TimeLeft > 0 {
		return ask.TimeLeft
	}
	switch file := q.(type) {
	case messages.ProfileQuestion:
		if file.Length == 0 {
			return downloadTimeout
		}
	case messages.EvidenceQuestion:
		if file.Length == 0 {
			return downloadTimeout
		}
	}
	return answerTimeout
}

func (r *questionResponder) onFrame(c actors.Context, m answerFrame) {
	if r.queue.made(m.seq, m.last) {
		r.answers[m.seq].frame = m.frame
		r.answer(c)
	}
}

func (r *questionResponder) onEnded(c actors.Context, m answerEnded) {
	if m.cut && !r.cutLogged {
		r.cutLogged = true
		r.u.log.Warn("an answer on the "+string(r.of)+" stream does not fit the one message that this proxy knows: its end is left out",
			zap.Int("bytes", maxAnswerFrameBytes))
	}
	unanswered := r.queue.find(m.seq) != nil
	if isLive := r.stream != nil && r.stream.ctx.Err() == nil && r.u.state.phase == uplinkLive; isLive && (unanswered || m.sent || m.err == nil) {
		r.log(m.err)
	}
	if !unanswered {
		return
	}
	failure := ""
	if m.err != nil {
		failure = cmp.Or(shortCause(m.err), "the answer failed")
	}
	r.finish(m.seq, r.queue.ended(m.seq, failure))
	r.answer(c)
}

// log logs that answers have errors: proxies of the field are told none.
func (r *questionResponder) log(err error) {
	if err != nil {
		if r.failure.record(err.Error(), time.Now()) {
			writeEntry(r.u.log, logEntry{warn: true, text: "an answer on the " + string(r.of) + " stream has an error", cause: shortCause(err)})
		}
	} else if lasted, times, was := r.failure.end(time.Now()); was {
		writeEntry(r.u.log, logEntry{text: "answers on the " + string(r.of) + " stream have no errors any more", lasted: lasted, times: times})
	}
}

func (r *questionResponder) written(c actors.Context) {
	r.queue.written()
	r.answer(c)
}

func (r *questionResponder) tick(c actors.Context, m actors.Tick) {
	if r.due.Fired(m) {
		r.answer(c)
	}
}

// disarm ends all answers: the session is being left.
func (r *questionResponder) disarm() {
	r.due.Disarm()
	for _, a := range r.answers {
		a.end()
	}
}

// answer gives up the answers whose time has run out, passes the frames that are ready to the writer of the
// stream, and begins with the questions whose turn has come.
func (r *questionResponder) answer(c actors.Context) {
	if r.stream == nil || r.u.state.phase != uplinkLive {
		return
	}
	now := time.Now()
	for range r.queue.expire(now) { // Their contexts have the same deadline.
		r.log(errTooLate)
	}
	for r.announce() || r.write() || r.begin(c) {
	}
	if at := r.queue.wakeAt(); at.IsZero() {
		r.due.Disarm()
	} else {
		r.due.Arm(c, at.Sub(now))
	}
}

// write passes one frame to the writer. It returns false if there is none, or no room for one.
func (r *questionResponder) write() bool {
	step, ok := r.queue.next()
	if !ok {
		return false
	}
	a := r.answers[step.seq]
	frames := []proto.Message{a.frame}
	if step.failure != "" {
		frames = a.form.failure(step.failure)
	}
	a.frame = nil
	for _, frame := range frames {
		r.stream.out.Offer(frame) // never full: see maxQueuedFrames
	}
	more, credit := r.queue.queued(step, len(frames))
	if more {
		a.more <- struct{}{}
	} else {
		r.finish(step.seq, credit)
	}
	return true
}

// finish forgets an answer if it has ended.
func (r *questionResponder) finish(seq uint64, credit bool) {
	if r.queue.find(seq) == nil {
		r.answers[seq].end()
		delete(r.answers, seq)
	}
	if credit {
		r.stream.credits.Return()
	}
}

// begin starts the goroutine of the next answer. It returns false if there is none to start.
func (r *questionResponder) begin(c actors.Context) bool {
	seq, expires, ok := r.queue.begin()
	if !ok {
		return false
	}
	a := r.answers[seq]
	a.of, a.self, a.more = r.of, newSender(r.u.ctx, r.u.sys, c), make(chan struct{}, 1)
	a.ctx, a.cancel = context.WithDeadlineCause(r.stream.ctx, expires, errTooLate)
	r.u.state.started(part{what: partAnswer, of: r.of, stream: seq})
	go a.run(r.source)
	return true
}
