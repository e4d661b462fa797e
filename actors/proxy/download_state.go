package proxy

import (
	"io"
	"strconv"
	"time"

	"fodc/messages"
)

// Limits of a download.
const (
	// downloadPiece is how much of a file is asked for at a time, in bytes, of agents that can send a
	// part of it: as much as one frame has. Larger ones cost the proxy more memory, and are not faster.
	downloadPiece = 256 << 10
	// downloadStall is how long the next chunk may take, and how long its reader may.
	downloadStall = 10 * time.Second
	// maxDownloadBytes bounds a file whose size is not known.
	maxDownloadBytes = 4 << 30
)

// downloadState decides for a download: what is asked when, what the reader gets, and whether the file is
// whole. It has at most a piece of the file, or, of an agent of the field, as many chunks as a session
// holds.
type downloadState struct {
	want   messages.Download
	begun  bool
	size   int64                    // of the file; 0: not known
	queue  []*messages.ProfileChunk // not taken by the reader yet
	got    int64                    // bytes of the file that have come
	piece  int64                    // where the piece under way begins
	asked  bool                     // an answer is under way
	taken  *messages.ProfileChunk   // the reader has it, and has not asked for another one
	waits  bool                     // the reader
	since  time.Time                // when something has happened last
	whole  bool                     // the agent sends all of the file at once
	done   bool
	failed *messages.Error
}

// downloadStep is what is to be done for a download now.
type downloadStep struct {
	// ask is the next piece, nil if none is to be asked for.
	ask messages.Question
	// consumed says that the session is to be told that the reader has consumed a chunk.
	consumed bool
	// cancel says that the request under way is not needed any more.
	cancel bool
	// answer is what the reader gets: a *messages.ProfileChunk, or an error, which is io.EOF at the end of a
	// file that is whole. nil: nothing yet.
	answer any
}

// begin starts the download, when it is known whom to ask. The reader may have asked by next before.
func (s *downloadState) begin(d messages.Download, now time.Time) downloadStep {
	s.want, s.begun, s.size, s.since = d, true, d.Size, now
	s.got, s.piece = d.Offset, d.Offset
	return s.step(now)
}

// next records that the reader wants a chunk, and has consumed the one before.
func (s *downloadState) next(now time.Time) downloadStep {
	consumed := s.taken != nil && s.whole && s.asked
	s.taken, s.waits, s.since = nil, true, now
	step := s.step(now)
	step.consumed = consumed && !step.cancel
	return step
}

// arrived records a chunk of an answer.
func (s *downloadState) arrived(m answerChunk, now time.Time) downloadStep {
	if !s.asked || s.hasEnded() {
		return downloadStep{}
	}
	s.whole = s.whole || m.wholeFile
	for _, p := range m.parts {
		chunk, ok := p.(*messages.ProfileChunk)
		if !ok {
			continue
		}
		if err := s.check(chunk); err != nil {
			return s.fail(err)
		}
		if len(chunk.Data) > 0 {
			s.got += int64(len(chunk.Data))
			s.queue = append(s.queue, &messages.ProfileChunk{Data: chunk.Data, FileSize: s.size})
		}
	}
	if m.last {
		s.asked = false
		if err := s.endAnswer(); err != nil {
			return s.fail(err)
		}
	}
	return s.step(now)
}

// check compares a chunk with what is known of the file.
func (s *downloadState) check(c *messages.ProfileChunk) *messages.Error {
	if c.FileSize > 0 {
		if s.size > 0 && c.FileSize != s.size {
			return messages.Errorf(messages.ErrUnavailable, "the file has %d bytes now, and not %d: it has changed", c.FileSize, s.size)
		}
		s.size = c.FileSize
	}
	limit := int64(maxDownloadBytes)
	if s.size > 0 {
		limit = s.size
	}
	if s.got+int64(len(c.Data)) > limit {
		return messages.Errorf(messages.ErrUnavailable, "the agent sends more than the %d bytes of the file", limit)
	}
	return nil
}

// endAnswer decides whether the file ends with the answer that has ended.
func (s *downloadState) endAnswer() *messages.Error {
	came := s.got - s.piece
	s.piece = s.got
	switch {
	case s.size > 0 && s.got == s.size, s.size == 0 && (s.whole || came < downloadPiece):
		s.done = true
	case s.whole, came == 0:
		return messages.Errorf(messages.ErrUnavailable, "the file is cut short: %d of its %d bytes have come", s.got, s.size)
	}
	return nil
}

// missing records that the answer will not come.
func (s *downloadState) missing(m answerFailure) downloadStep {
	if !s.asked || s.hasEnded() {
		return downloadStep{}
	}
	s.asked = false
	if _, evidence := s.want.Question.(messages.EvidenceQuestion); evidence && m.reason == messages.MissingUnserved {
		return s.fail(messages.Errorf(messages.ErrNotFound, "the agent of the node has no incidents"))
	}
	return s.fail(downloadError(m.reason, m.said, s.got-s.want.Offset))
}

// downloadError is the error of a download whose answer will not come.
func downloadError(reason messages.MissingReason, said string, got int64) *messages.Error {
	switch {
	case reason == messages.MissingUnserved:
		return messages.Errorf(messages.ErrNotFound, "the agent of the node has no profiles")
	case reason == messages.MissingUnconnected:
		return messages.Errorf(messages.ErrUnavailable, "the node is unconnected")
	case reason == messages.MissingBusy:
		return messages.Errorf(messages.ErrUnavailable, "the agent of the node owes other answers: try again in a few seconds")
	case reason == messages.MissingTimeout:
		return messages.Errorf(messages.ErrTimeout, "the agent of the node does not answer")
	case said != "" && got == 0:
		return messages.Errorf(messages.ErrNotFound, "the agent cannot send the file: %s", quote(said))
	case said != "":
		return messages.Errorf(messages.ErrUnavailable, "the file is cut short after %d bytes: %s", got, quote(said))
	default:
		return messages.Errorf(messages.ErrUnavailable, "the file is cut short after %d bytes: the stream of the agent has ended", got)
	}
}

// due returns when tick is to be called; zero if it need not be.
func (s *downloadState) due() time.Time {
	if s.failed != nil || s.done && len(s.queue) == 0 {
		return time.Time{}
	}
	return s.since.Add(downloadStall)
}

// tick ends a download of which nothing has come, or was read, for too long.
func (s *downloadState) tick(now time.Time) downloadStep {
	switch due := s.due(); {
	case due.IsZero() || now.Before(due):
		return downloadStep{}
	case s.waits:
		return s.fail(messages.Errorf(messages.ErrTimeout, "the agent has sent nothing for %s, after %d bytes", downloadStall, s.got))
	default:
		return s.fail(messages.Errorf(messages.ErrTimeout, "nothing was read for %s: the download has ended", downloadStall))
	}
}

// fail ends the download with an error. The first one counts.
func (s *downloadState) fail(err *messages.Error) downloadStep {
	if s.failed == nil {
		s.failed = err
	}
	s.queue = nil
	step := downloadStep{cancel: s.asked}
	s.asked = false
	s.reply(&step)
	return step
}

// hasEnded reports whether nothing more is expected of the agent.
func (s *downloadState) hasEnded() bool { return s.failed != nil || s.done }

// step answers the reader, or asks for the next piece when all of the former one is consumed.
func (s *downloadState) step(now time.Time) (step downloadStep) {
	s.reply(&step)
	if step.answer != nil {
		s.since = now
	}
	if !s.begun || s.asked || s.hasEnded() || len(s.queue) > 0 || s.taken != nil {
		return step
	}
	s.asked, s.since = true, now
	step.ask = pieceOf(s.want.Question, s.got)
	return step
}

// pieceOf returns the question for the next piece of the file.
func pieceOf(q messages.Question, offset int64) messages.Question {
	switch q := q.(type) {
	case messages.ProfileQuestion:
		q.Offset, q.Length = offset, downloadPiece
		return q
	case messages.EvidenceQuestion:
		q.Offset, q.Length = offset, downloadPiece
		return q
	}
	return q
}

func (s *downloadState) reply(step *downloadStep) {
	switch {
	case !s.waits:
		return
	case s.failed != nil:
		step.answer = s.failed
	case len(s.queue) > 1, len(s.queue) > 0 && !s.mayBeTooLong():
		s.taken, s.queue = s.queue[0], s.queue[1:]
		step.answer = s.taken
	case len(s.queue) == 0 && s.done:
		step.answer = io.EOF
	default:
		return
	}
	s.waits = false
}

// mayBeTooLong reports whether all bytes of the file have come, and it is not known yet that no more will. A reader
// that has them all takes them for the file.
func (s *downloadState) mayBeTooLong() bool { return s.size > 0 && s.got == s.size && !s.done }

// memory returns the bytes of what has come and is not consumed.
func (s *downloadState) memory() (bytes int64) {
	for _, c := range s.queue {
		bytes += int64(c.MemoryBytes())
	}
	if s.taken != nil {
		bytes += int64(s.taken.MemoryBytes())
	}
	return bytes
}

// outcome says how the download ended, for /debug/actors.
func (s *downloadState) outcome() string {
	switch {
	case s.failed != nil:
		return s.failed.Text
	case s.done:
		return "sent: " + strconv.FormatInt(s.got, 10) + " bytes"
	default:
		return "cancelled"
	}
}
