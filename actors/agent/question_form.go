package agent

import (
	"fmt"

	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/protobuf/proto"
)

// maxGatheredPartBytes bounds the memory of the parts of an answer that has to be one message. Further
// parts are left out.
const maxGatheredPartBytes = 4 * maxAnswerFrameBytes

// answerForm is the form in which a proxy wants an answer. With an id that is of any number of messages,
// the last of which says so. Without one it is the stream's own: one message for a topology or a
// lifecycle, a message that ends a list of profiles and a schema, a last chunk of a file, and for crashes no
// end.
type answerForm struct {
	question messages.Question
	ask      wire.Ask // an ID of 0: the stream's own form
}

func (f answerForm) frame(p messages.Part, end wire.End) proto.Message {
	return wire.ReplyFrame(f.question, wire.Reply{ID: f.ask.ID, Native: f.ask.Native, Part: p, End: end})
}

// failure returns the frames that end an answer with an error. Where the form has no place for one, the
// answer is empty.
func (f answerForm) failure(why string) []proto.Message {
	if _, ok := f.question.(messages.SchemaQuestion); ok && f.ask.ID == 0 {
		return []proto.Message{f.frame(&messages.SchemaGroup{Error: why}, wire.EndNo), f.frame(nil, wire.EndYes)}
	}
	return present(wire.ReplyFrame(f.question, wire.Reply{ID: f.ask.ID, Native: f.ask.Native, Error: why, End: wire.EndYes}))
}

// present returns the frame, unless there is none.
func present(frame proto.Message) []proto.Message {
	if frame == nil {
		return nil
	}
	return []proto.Message{frame}
}

// answerEncoder makes the frames of one answer from its parts.
type answerEncoder struct {
	answerForm
	// revision ends the answer of crashes or incidents; nil: it has none.
	revision messages.Part
	// gathered are the parts of an answer that is one message, with their memory in bytes.
	gathered []messages.Part
	bytes    int
	// ended says that the last chunk of the file has come, cut that something did not fit.
	ended, cut bool
}

func (f answerForm) encoder() *answerEncoder { return &answerEncoder{answerForm: f} }

// add passes the frames of a part to emit, and returns its first error.
func (e *answerEncoder) add(p messages.Part, emit func(proto.Message) error) error {
	if !isPartOf(e.question, p) {
		return fmt.Errorf("a part of the type %T is no answer to %T", p, e.question)
	}
	switch p := p.(type) {
	case messages.CrashRevision, messages.IncidentRevision:
		e.revision = p
		return nil
	case *messages.ProfileChunk:
		e.ended = e.ended || p.Last
	case *messages.Topology, *messages.Lifecycle:
		if e.ask.ID == 0 {
			if e.bytes += p.MemoryBytes(); e.bytes <= maxGatheredPartBytes || len(e.gathered) == 0 {
				e.gathered = append(e.gathered, p)
			} else {
				e.cut = true
			}
			return nil
		}
	}
	for _, piece := range e.pieces(p) {
		if err := emit(e.frame(piece, wire.EndNo)); err != nil {
			return err
		}
	}
	return nil
}

// pieces splits a part into those of one frame each.
func (e *answerEncoder) pieces(p messages.Part) []messages.Part {
	limit := chunkBytes
	chunk, ok := p.(*messages.ProfileChunk)
	if !ok {
		return wire.Chunks(p, limit)
	}
	if e.ask.ID == 0 {
		limit = wire.MaxProfileDataBytes
	}
	var pieces []messages.Part
	for data := chunk.Data; ; data = data[limit:] {
		if len(data) <= limit {
			return append(pieces, &messages.ProfileChunk{Data: data, FileSize: chunk.FileSize, Last: chunk.Last})
		}
		pieces = append(pieces, &messages.ProfileChunk{Data: data[:limit:limit], FileSize: chunk.FileSize})
	}
}

// end returns the frames that end the answer.
func (e *answerEncoder) end() []proto.Message {
	if e.ask.ID != 0 {
		return present(e.frame(e.revision, wire.EndYes))
	}
	switch e.question.(type) {
	case messages.TopologyQuestion:
		return present(e.frame(e.fitting(messages.JoinTopology(e.gathered)), wire.EndYes))
	case messages.LifecycleQuestion:
		return present(e.frame(e.lifecycle(), wire.EndYes))
	case messages.ProfileQuestion:
		if e.ended {
			return nil
		}
	}
	return present(e.frame(nil, wire.EndYes))
}

// fitting returns as much of a part as fits one message.
func (e *answerEncoder) fitting(p messages.Part) messages.Part {
	chunks := wire.Chunks(p, maxAnswerFrameBytes)
	e.cut = e.cut || len(chunks) > 1
	return chunks[0]
}

// lifecycle puts what was gathered into one message: the groups, and then the reports that fit.
func (e *answerEncoder) lifecycle() messages.Part {
	whole := messages.JoinLifecycle(e.gathered, wire.MaxReportBytes)
	one := e.fitting(&messages.Lifecycle{At: whole.At, PodName: whole.PodName, Groups: whole.Groups}).(*messages.Lifecycle)
	room := maxAnswerFrameBytes - proto.Size(e.frame(one, wire.EndYes))
	for _, report := range whole.Reports {
		// Alone it takes a little more than beside the others.
		bytes := proto.Size(e.frame(&messages.Lifecycle{Reports: []messages.LifecycleReport{report}}, wire.EndYes))
		if bytes > room {
			e.cut = true
			continue
		}
		room -= bytes
		one.Reports = append(one.Reports, report)
	}
	return one
}

// isPartOf reports whether the part may be one of an answer to the question.
func isPartOf(q messages.Question, p messages.Part) (ok bool) {
	switch q.(type) {
	case messages.TopologyQuestion:
		t, is := p.(*messages.Topology)
		return is && t != nil
	case messages.LifecycleQuestion:
		l, is := p.(*messages.Lifecycle)
		return is && l != nil
	case messages.CrashQuestion:
		c, is := p.(*messages.Crash)
		_, isRevision := p.(messages.CrashRevision)
		return is && c != nil || isRevision
	case messages.ProfilesQuestion:
		r, is := p.(*messages.PressureProfile)
		return is && r != nil
	case messages.ProfileQuestion:
		c, is := p.(*messages.ProfileChunk)
		return is && c != nil
	case messages.SchemaQuestion:
		g, is := p.(*messages.SchemaGroup)
		return is && g != nil
	case messages.IncidentsQuestion, messages.FreezeQuestion, messages.IncidentActionQuestion:
		r, is := p.(*messages.IncidentRecord)
		_, isRevision := p.(messages.IncidentRevision)
		return is && r != nil || isRevision
	case messages.EvidenceQuestion:
		c, is := p.(*messages.ProfileChunk)
		return is && c != nil
	}
	return false
}
