package proxy

import (
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

// nextChunk asks a download for the next chunk, and says that the one before was consumed. The answer is a
// *messages.ProfileChunk or an error, which is io.EOF at the end.
type nextChunk struct{}

// download is the actor of one download. It asks the session of the node for a file, and keeps what has
// come until the reader asks for it. The collector stops it.
type download struct {
	sys       *actors.System
	registry  *actors.PID
	log       *zap.Logger
	want      messages.Download
	id        uint64 // by which the session knows it
	state     downloadState
	session   *actors.PID // nil until it is known
	agentID   string
	reader    *actors.PID // whose nextChunk is not answered
	deadline  actors.Timer
	budget    *memoryBudget
	reserved  int64 // of budget, in bytes
	endReason string
}

func (d *download) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		d.onStarted(c)
	case *actors.Stopping, *actors.Restarting:
		d.cleanUp(c)
	case *actors.Stopped:
	case targets:
		d.onTargets(c, m)
	case nextChunk:
		d.reader = c.Sender()
		d.do(c, d.state.next(time.Now()))
	case answerChunk:
		d.onChunk(c, m)
	case answerFailure:
		if m.agentID == d.agentID {
			d.do(c, d.state.missing(m))
		}
	case actors.Tick:
		if d.deadline.Fired(m) {
			d.do(c, d.state.tick(time.Now()))
		}
	default:
		unknownMessage(d.log, m)
	}
}

func (d *download) onStarted(c actors.Context) {
	actors.Subject(c, truncate(d.want.NodeID)+" "+fileOf(d.want.Question))
	d.id = collectionIDs.Add(1)
	d.state.since = time.Now()
	d.deadline.Arm(c, downloadStall)
	actors.Request(c, d.registry, findTargets{messages.NodeFilter{NodeIDs: []string{d.want.NodeID}}})
}

func (d *download) onTargets(c actors.Context, m targets) {
	if d.state.hasEnded() {
		return
	}
	if len(m.nodes) == 0 {
		d.do(c, d.state.fail(messages.Errorf(messages.ErrNotFound, "no node with the node_id %s is registered", quote(d.want.NodeID))))
		return
	}
	d.agentID = m.nodes[0].agentID
	d.session = m.sessions[d.agentID]
	if d.session == nil {
		d.do(c, d.state.fail(downloadError(messages.MissingUnconnected, "", 0)))
		return
	}
	d.do(c, d.state.begin(d.want, time.Now()))
}

func (d *download) onChunk(c actors.Context, m answerChunk) {
	bytes := memoryOf(nil, m.parts)
	if !d.budget.reserve(d.reserved, bytes) {
		d.do(c, d.state.fail(messages.Errorf(messages.ErrUnavailable,
			"the answers under way take %d MiB, and --max-answers-memory-percentage allows no more: try again in a second", d.budget.limit>>20)))
		return
	}
	d.reserved += bytes
	d.do(c, d.state.arrived(m, time.Now()))
}

// do does what the state has decided.
func (d *download) do(c actors.Context, step downloadStep) {
	if step.consumed {
		d.sys.Send(d.session, consumed{d.id})
	}
	if step.cancel {
		d.sys.Send(d.session, cancelRequest{d.id})
	}
	if step.ask != nil {
		actors.Request(c, d.session, ask{collectionID: d.id, question: step.ask, deadline: time.Now().Add(downloadStall), download: true})
	}
	if unused := d.reserved - d.state.memory(); unused > 0 {
		d.budget.release(unused)
		d.reserved -= unused
	}
	if step.answer != nil {
		d.sys.Send(d.reader, step.answer)
	}
	d.endReason = d.state.outcome()
	if due := d.state.due(); !due.IsZero() {
		d.deadline.Arm(c, time.Until(due))
	}
}

// cleanUp cancels the request under way and releases the reserved memory.
func (d *download) cleanUp(c actors.Context) {
	actors.EndReason(c, d.endReason)
	d.deadline.Disarm()
	if d.state.asked {
		d.sys.Send(d.session, cancelRequest{d.id})
	}
	d.budget.release(d.reserved)
	d.reserved = 0
}

// fileOf names the file that is asked for, for people.
func fileOf(q messages.Question) string {
	switch q := q.(type) {
	case messages.ProfileQuestion:
		return truncate(q.ProfileID) + " " + truncate(q.Type)
	case messages.EvidenceQuestion:
		return truncate(q.IncidentID) + " " + truncate(q.Path)
	}
	return ""
}
