package agent

import (
	"fmt"
	"time"

	"fodc/actors"
	"fodc/messages"
)

// Why the past of an answer is left out although nothing is wrong with the journal's files.
var (
	errPastSlow    = fmt.Errorf("the disk takes longer than %s for a part, or than half of the time that is left for the answer", pastPartTimeout)
	errPastStalled = fmt.Errorf("a read from the disk hangs for more than %s", pastPartTimeout)
)

// readPast gives up the pasts that take too long, and begins to read the next one.
func (a *metricsResponder) readPast(c actors.Context, now time.Time) {
	for _, seq := range a.answers.overduePast(now) {
		a.leaveOutPast(seq, errPastSlow)
	}
	for {
		seq, ok := a.answers.beginPast(now)
		if !ok {
			return
		}
		if a.u.cfg.pasts.areStalled(now) {
			a.answers.endPast(seq)
			a.leaveOutPast(seq, errPastStalled)
			continue
		}
		a.past = a.u.cfg.pasts.start(a.stream.ctx, newSender(a.u.ctx, a.u.sys, c).send, seq, a.past, a.snapshots[seq].past)
		return
	}
}

// leaveOutPast lets an answer go on without what is still missing of its past.
func (a *metricsResponder) leaveOutPast(seq uint64, why error) {
	if a.past != nil && a.past.seq == seq {
		a.past.cancel()
	}
	a.snapshots[seq].partial = messages.PartialJournal
	if a.pastFailure.record(why.Error(), time.Now()) {
		writeEntry(a.u.log, logEntry{warn: true, text: "an answer has not all that is on disk", cause: shortCause(why)})
	}
}

func (a *metricsResponder) onPastPart(c actors.Context, m pastPart) {
	if !a.answers.pastPart(m.seq, time.Now()) {
		return
	}
	if r := a.snapshots[m.seq]; r.gathered != nil {
		r.gathered.add(m.blocks)
		a.past.next()
	} else {
		r.part = m.blocks
	}
	a.answer(c)
}

func (a *metricsResponder) onPastEnded(c actors.Context, m pastEnded) {
	if !a.answers.endPast(m.seq) {
		return
	}
	if m.err != nil {
		a.leaveOutPast(m.seq, m.err)
	} else if lasted, times, was := a.pastFailure.end(time.Now()); was {
		writeEntry(a.u.log, logEntry{text: "answers have all that is on disk again", lasted: lasted, times: times})
	}
	a.answer(c)
}
