package proxy

import (
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

// askerIDs numbers the collections for the sessions, over all collectors that ever
// were: a session must not take a new collection for an old one.
var askerIDs atomic.Uint64

// collect is one collection: it asks the nodes' sessions, gathers what they answer
// until all have or the deadline has come, and says so to its owner.
type collect struct {
	sys      *actors.System
	owner    *actors.PID
	registry *actors.PID
	log      *zap.Logger
	asker    uint64 // the sessions' name for it
	query    messages.Query
	state    collectState
	sessions map[string]*actors.PID // by agent id
	deadline actors.Timer
	ended    bool
}

func (k *collect) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		k.onStarted(c)
	case *actors.Stopping, *actors.Restarting:
		k.release(c)
	case *actors.Stopped:
	case targets:
		k.onTargets(c, m)
	case gotChunk:
		k.state.got(m.agentID, m.blocks, m.flaws, m.last, time.Now())
		k.endIfComplete(c)
	case gotFailure:
		k.state.failed(m.agentID, m.reason, time.Now())
		k.endIfComplete(c)
	case actors.Tick:
		if k.deadline.Fired(m) {
			k.forget(k.state.expire(time.Now()))
			k.end(c)
		}
	default:
		unknownMessage(k.log, m)
	}
}

func (k *collect) onStarted(c actors.Context) {
	actors.Subject(c, subjectOf(k.query))
	k.asker = askerIDs.Add(1)
	k.deadline.Arm(c, time.Until(k.query.Deadline))
	actors.Request(c, k.registry, findTargets{k.query.Filter})
}

func (k *collect) onTargets(c actors.Context, m targets) {
	k.sessions = m.sessions
	for _, agentID := range k.state.begin(m.nodes, time.Now()) {
		actors.Request(c, m.sessions[agentID], askMetrics{asker: k.asker, selection: k.query.Selection, deadline: k.query.Deadline})
	}
	k.endIfComplete(c)
}

func (k *collect) endIfComplete(c actors.Context) {
	if k.sessions != nil && k.state.isComplete() {
		k.end(c)
	}
}

// end answers, once; the owner then stops the actor.
func (k *collect) end(c actors.Context) {
	if k.ended {
		return
	}
	k.ended = true
	answer, reason := collected{from: c.Self(), result: k.state.result()}, k.state.outcome()
	if k.sessions == nil {
		reason = "the registry did not answer"
		answer.result = messages.Errorf(messages.ErrUnavailable, "%s: try again in a second", reason)
	}
	actors.EndReason(c, reason)
	k.sys.Send(k.owner, answer)
}

// release lets go of what the collection holds elsewhere.
func (k *collect) release(c actors.Context) {
	if !k.ended {
		actors.EndReason(c, "cancelled")
	}
	k.deadline.Disarm()
	k.forget(k.state.awaited())
}

func (k *collect) forget(agentIDs []string) {
	for _, agentID := range agentIDs {
		k.sys.Send(k.sessions[agentID], forget{k.asker})
	}
}
