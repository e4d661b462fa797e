package agent

import (
	"context"
	"errors"
	"fmt"

	"fodc/messages"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// maxAnswerFrameBytes bounds an encoded frame of an answer: a proxy may take 4 MiB and no more.
const maxAnswerFrameBytes = maxBaselineBytes

var errTooLate = errors.New(tooLate)

// Messages of an answer's goroutine to its uplink.
type (
	// answerFrame is the next frame of an answer; last says that it ends it.
	answerFrame struct {
		of    messages.Stream
		seq   uint64
		frame proto.Message
		last  bool
	}
	// answerEnded is the goroutine's last message. It ends the answer, if no frame has done that. cut says
	// that not all of it fitted the one message that it has to be, sent that frames have ended it although there
	// is an error.
	answerEnded struct {
		of   messages.Stream
		seq  uint64
		err  error
		cut  bool
		sent bool
	}
)

// sourceAnswer is the answer to one question. Its goroutine makes one frame ahead: it waits until that
// is in the queue of the stream's writer.
type sourceAnswer struct {
	seq  uint64
	form answerForm

	// of, self, ctx, cancel and more are set before the goroutine is started.
	of     messages.Stream
	self   sender
	ctx    context.Context
	cancel context.CancelFunc // nil: the goroutine was not started
	more   chan struct{}      // a token for each frame that was queued, but for the last one

	frame proto.Message // of the uplink: it waits to be written
}

// end ends the goroutine, if it was started.
func (a *sourceAnswer) end() {
	if a.cancel != nil {
		a.cancel()
	}
}

func (a *sourceAnswer) run(source *limitedSource) {
	err, encoder, sent := errAborted, a.form.encoder(), false
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %.200v", p)
			source.log.Error("an answer panicked", zap.Any("panic", p), zap.Stack("stack"))
		}
		a.cancel()
		a.self.send(answerEnded{a.of, a.seq, err, encoder.cut, sent})
	}()
	err = source.answer(a.ctx, a.form.question, func(p messages.Part) error {
		if a.ctx.Err() != nil {
			return context.Cause(a.ctx)
		}
		return encoder.add(p, func(frame proto.Message) error { return a.emit(frame, false) })
	})
	if ended := context.Cause(a.ctx); ended != nil {
		err = ended
	}
	if err == nil {
		err = a.emitLast(encoder.end())
	} else if len(encoder.gathered) > 0 && a.ctx.Err() == nil {
		sent = a.emitLast(encoder.end()) == nil // What is there: this proxy cannot be told of the error.
	}
}

// emitLast sends the frames that end the answer, which may be none.
func (a *sourceAnswer) emitLast(frames []proto.Message) error {
	for i, frame := range frames {
		if err := a.emit(frame, i == len(frames)-1); err != nil {
			return err
		}
	}
	return nil
}

// emit sends a frame to the uplink, and waits until the next one may be made.
func (a *sourceAnswer) emit(frame proto.Message, last bool) error {
	if n := proto.Size(frame); n > maxAnswerFrameBytes {
		return fmt.Errorf("a part of the answer has %d bytes, at most %d are allowed", n, maxAnswerFrameBytes)
	}
	a.self.send(answerFrame{a.of, a.seq, frame, last})
	if last {
		return nil
	}
	select {
	case <-a.more:
		return nil
	case <-a.ctx.Done():
		return context.Cause(a.ctx)
	}
}
