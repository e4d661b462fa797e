package proxy

import (
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

// collectionIDs numbers the collections of the process. A collector that was restarted must not
// use an id again: a session may still have requests of the former collection.
var collectionIDs atomic.Uint64

// collect is the actor of one collection. It asks the sessions of the nodes, gathers their
// answers until all have answered or the deadline has come, and sends the result to its owner.
type collect struct {
	sys      *actors.System
	owner    *actors.PID
	registry *actors.PID
	log      *zap.Logger
	id       uint64 // by which the sessions know it
	query    messages.Query
	own      bool // no client asks: it has no share of the budget
	state    collectState
	sessions map[string]*actors.PID // by agent id
	pages    *pagesAhead
	yielding messages.Yielding
	deadline actors.Timer
	pace     actors.Timer
	ended    bool
	budget   *memoryBudget
	reserved int64 // of budget, in bytes
}

func (k *collect) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		k.onStarted(c)
	case *actors.Stopping, *actors.Restarting:
		k.cleanUp(c)
	case *actors.Stopped:
	case targets:
		k.onTargets(c, m)
	case answerChunk:
		k.onChunk(c, m)
	case answerFailure:
		k.onFailure(c, m)
	case noPages:
		k.advance(c)
	case actors.Tick:
		k.onTick(c, m)
	default:
		unknownMessage(k.log, m)
	}
}

// onFailure records that an answer ends with an error, or will not come. What an agent has of its groups and
// reports counts also where it says that the rest is not to be had.
func (k *collect) onFailure(c actors.Context, m answerFailure) {
	if _, ok := k.query.Question.(messages.LifecycleQuestion); ok && m.said != "" {
		k.state.endedWithError(m.agentID, m.reason, time.Now())
	} else {
		k.release(k.state.failed(m.agentID, m.reason, time.Now()))
	}
	k.advance(c)
}

func (k *collect) onStarted(c actors.Context) {
	actors.Subject(c, subjectOf(k.query))
	k.id = collectionIDs.Add(1)
	k.deadline.Arm(c, time.Until(k.query.Deadline))
	actors.Request(c, k.registry, findTargets{k.query.Filter})
}

func (k *collect) onTargets(c actors.Context, m targets) {
	k.sessions = m.sessions
	k.state.begin(m.nodes, k.budget.concurrency(k.query), k.query.Deadline, time.Now())
	if k.query.CorrectClocks {
		k.state.correctClocks()
	}
	k.advance(c)
	k.armPace(c)
}

func (k *collect) onTick(c actors.Context, m actors.Tick) {
	switch {
	case k.deadline.Fired(m):
		k.cancelRequests(k.state.expire(time.Now()))
		k.end(c)
	case k.pace.Fired(m):
		k.advance(c)
		k.armPace(c)
	}
}

// armPace arms the timer that asks further nodes even if nobody answers.
func (k *collect) armPace(c actors.Context) {
	if !k.ended && k.state.isPaced() {
		k.pace.Arm(c, min(paceInterval, k.state.half/paceChecksPerHalf))
	}
}

// advance asks the nodes that may be asked now, or ends the collection if it is complete.
func (k *collect) advance(c actors.Context) {
	if k.ended || k.sessions == nil {
		return
	}
	for _, agentID := range k.ask(time.Now()) {
		sel := k.query.Selection
		sel.Window = k.state.windowFor(agentID, sel.Window)
		actors.Request(c, k.sessions[agentID], ask{collectionID: k.id, question: k.query.Question, selection: sel,
			deadline: k.query.Deadline})
	}
	if k.state.isComplete() {
		k.end(c)
	}
}

// ask returns the agent ids to be asked now: none while the collection yields. It looks again when the
// pages have ended, and at each tick of its pace.
func (k *collect) ask(now time.Time) []string {
	if k.query.Yields && k.state.mayYield(now) && !k.yielding.Until(k.pages.isAhead(now), now).IsZero() {
		return nil
	}
	return k.state.ask(now)
}

// onChunk adds a chunk of a node's answer. If the memory budget has no room for it, the
// collection fails.
func (k *collect) onChunk(c actors.Context, m answerChunk) {
	if !k.state.awaits(m.agentID) {
		return
	}
	if q, ok := k.query.Question.(messages.CrashQuestion); ok && q.RevisionsOnly {
		m.parts = withoutRecords(m.parts)
	}
	bytes := memoryOf(m.blocks, m.parts)
	has := k.reserved
	if k.own {
		has = k.budget.share
	}
	if !k.budget.reserve(has, bytes) {
		k.fail(c, k.overBudget(bytes))
		return
	}
	k.reserved += bytes
	k.state.addChunk(m, time.Now())
	k.advance(c)
}

// overBudget is the error of a collection that cannot reserve more bytes.
func (k *collect) overBudget(more int64) *messages.Error {
	const less = "ask for less with node_id, name[] or a shorter window"
	if k.reserved+more > k.budget.limit {
		return messages.Errorf(messages.ErrTooLarge,
			"the answers take more than %d MiB, with %d of %d nodes still to come, and --max-answers-memory-percentage allows no more: %s",
			k.budget.limit>>20, len(k.state.awaited()), len(k.state.nodes), less)
	}
	return messages.Errorf(messages.ErrUnavailable,
		"the answers of all collections under way take %d MiB, and --max-answers-memory-percentage allows no more: try again in a second, or %s",
		k.budget.limit>>20, less)
}

// end replies with the answers that have come.
func (k *collect) end(c actors.Context) {
	if k.sessions == nil {
		k.fail(c, messages.Errorf(messages.ErrUnavailable, "the registry did not answer: try again in a second"))
		return
	}
	k.reply(c, k.state.result(), k.state.outcome())
}

// fail replies with an error, and drops the answers that have come.
func (k *collect) fail(c actors.Context, err *messages.Error) {
	k.cancelRequests(k.state.drop())
	k.reply(c, err, err.Text)
}

// reply sends the result to the owner, once. The owner then stops the actor.
func (k *collect) reply(c actors.Context, result any, reason string) {
	if k.ended {
		return
	}
	k.ended = true
	k.release(k.reserved) // Before the client has the answer: it may ask again at once.
	actors.EndReason(c, reason)
	k.sys.Send(k.owner, collected{from: c.Self(), result: result})
}

// cleanUp cancels the requests under way and releases the reserved memory.
func (k *collect) cleanUp(c actors.Context) {
	if !k.ended {
		actors.EndReason(c, "cancelled")
	}
	k.deadline.Disarm()
	k.pace.Disarm()
	k.cancelRequests(k.state.awaited())
	k.release(k.reserved)
}

// release returns bytes to the memory budget.
func (k *collect) release(bytes int64) {
	k.budget.release(bytes)
	k.reserved -= bytes
}

func (k *collect) cancelRequests(agentIDs []string) {
	for _, agentID := range agentIDs {
		k.sys.Send(k.sessions[agentID], cancelRequest{k.id})
	}
}
