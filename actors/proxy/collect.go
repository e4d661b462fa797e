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
	pace     actors.Timer
	ended    bool
	room     *room
	taken    int64 // of room
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
		k.onChunk(c, m)
	case gotFailure:
		k.giveBack(memoryOf(k.state.failed(m.agentID, m.reason, time.Now())))
		k.goOn(c)
	case actors.Tick:
		k.onTick(c, m)
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
	atOnce := k.room.windows
	if k.query.Selection.Window.IsLatest() {
		atOnce = latestAtOnce
	}
	k.state.begin(m.nodes, atOnce, k.query.Deadline, time.Now())
	k.goOn(c)
	k.keepPace(c)
}

func (k *collect) onTick(c actors.Context, m actors.Tick) {
	switch {
	case k.deadline.Fired(m):
		k.forget(k.state.expire(time.Now()))
		k.end(c)
	case k.pace.Fired(m):
		k.goOn(c)
		k.keepPace(c)
	}
}

// keepPace sees to it that those are asked in time who are still to be asked.
func (k *collect) keepPace(c actors.Context) {
	if !k.ended && k.state.isPaced() {
		k.pace.Arm(c, min(paceInterval, k.state.half/looksPerHalf))
	}
}

// goOn asks the nodes whose turn it is, or ends the collection if nothing is awaited.
func (k *collect) goOn(c actors.Context) {
	if k.ended || k.sessions == nil {
		return
	}
	for _, agentID := range k.state.ask(time.Now()) {
		actors.Request(c, k.sessions[agentID], askMetrics{asker: k.asker, selection: k.query.Selection, deadline: k.query.Deadline})
	}
	if k.state.isComplete() {
		k.end(c)
	}
}

// onChunk takes a part of a node's answer, if there is room for it.
func (k *collect) onChunk(c actors.Context, m gotChunk) {
	if !k.state.awaits(m.agentID) {
		return
	}
	bytes := memoryOf(m.blocks)
	if !k.room.take(k.taken, bytes) {
		k.fail(c, k.noRoom(bytes))
		return
	}
	k.taken += bytes
	k.state.got(m.agentID, m.blocks, m.problems, m.last, time.Now())
	k.goOn(c)
}

// noRoom is the error of a collection for so much more of which there is no room.
func (k *collect) noRoom(more int64) *messages.Error {
	const less = "ask for less with node_id, name[] or a shorter window"
	if k.taken+more > k.room.limit {
		return messages.Errorf(messages.ErrTooLarge,
			"the answers take more than %d MiB, with %d of %d nodes still to come, and --max-answers-memory-percentage allows no more: %s",
			k.room.limit>>20, len(k.state.awaited()), len(k.state.nodes), less)
	}
	return messages.Errorf(messages.ErrUnavailable,
		"the answers of all collections under way take %d MiB, and --max-answers-memory-percentage allows no more: try again in a second, or %s",
		k.room.limit>>20, less)
}

// end answers with what has come.
func (k *collect) end(c actors.Context) {
	if k.sessions == nil {
		k.fail(c, messages.Errorf(messages.ErrUnavailable, "the registry did not answer: try again in a second"))
		return
	}
	k.say(c, k.state.result(), k.state.outcome())
}

// fail answers with an error, and lets go of what has come.
func (k *collect) fail(c actors.Context, err *messages.Error) {
	k.forget(k.state.drop())
	k.say(c, err, err.Text)
}

// say answers, once; the owner then stops the actor.
func (k *collect) say(c actors.Context, result any, reason string) {
	if k.ended {
		return
	}
	k.ended = true
	k.giveBack(k.taken) // before the answer is there: whoever has it may ask again at once
	actors.EndReason(c, reason)
	k.sys.Send(k.owner, collected{from: c.Self(), result: result})
}

// release lets go of what the collection holds elsewhere.
func (k *collect) release(c actors.Context) {
	if !k.ended {
		actors.EndReason(c, "cancelled")
	}
	k.deadline.Disarm()
	k.pace.Disarm()
	k.forget(k.state.awaited())
	k.giveBack(k.taken)
}

// giveBack gives back so much of what the collection has taken.
func (k *collect) giveBack(bytes int64) {
	k.room.free(bytes)
	k.taken -= bytes
}

func memoryOf(blocks []messages.Block) (bytes int64) {
	for i := range blocks {
		bytes += int64(blocks[i].MemoryBytes())
	}
	return bytes
}

func (k *collect) forget(agentIDs []string) {
	for _, agentID := range agentIDs {
		k.sys.Send(k.sessions[agentID], forget{k.asker})
	}
}
