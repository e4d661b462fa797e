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
func (u *uplink) readPast(c actors.Context, now time.Time) {
	for _, seq := range u.answers.overduePast(now) {
		u.leaveOutPast(seq, errPastSlow)
	}
	for {
		seq, ok := u.answers.beginPast(now)
		if !ok {
			return
		}
		if u.cfg.pasts.areStalled(now) {
			u.answers.endPast(seq)
			u.leaveOutPast(seq, errPastStalled)
			continue
		}
		u.past = u.cfg.pasts.start(u.metrics.ctx, newSender(u.ctx, u.sys, c).send, seq, u.past, u.snapshots[seq].past)
		return
	}
}

// leaveOutPast lets an answer go on without what is still missing of its past.
func (u *uplink) leaveOutPast(seq uint64, why error) {
	if u.past != nil && u.past.seq == seq {
		u.past.cancel()
	}
	u.snapshots[seq].partial = messages.PartialJournal
	if u.pastFailure.record(why.Error(), time.Now()) {
		writeEntry(u.log, logEntry{warn: true, text: "an answer has not all that is on disk", cause: shortCause(why)})
	}
}

func (u *uplink) onPastPart(c actors.Context, m pastPart) {
	if !u.answers.pastPart(m.seq, time.Now()) {
		return
	}
	if r := u.snapshots[m.seq]; r.gathered != nil {
		r.gathered.add(m.blocks)
		u.past.next()
	} else {
		r.part = m.blocks
	}
	u.answer(c)
}

func (u *uplink) onPastEnded(c actors.Context, m pastEnded) {
	if !u.answers.endPast(m.seq) {
		return
	}
	if m.err != nil {
		u.leaveOutPast(m.seq, m.err)
	} else if lasted, times, was := u.pastFailure.end(time.Now()); was {
		writeEntry(u.log, logEntry{text: "answers have all that is on disk again", lasted: lasted, times: times})
	}
	u.answer(c)
}
