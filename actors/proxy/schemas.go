package proxy

import (
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

const (
	// schemaTimeout bounds the time of the agents to answer.
	schemaTimeout = 10 * time.Second
	// liaisonRole is the role of the nodes that read the database's registry, in both of its spellings.
	liaisonRole, databaseLiaisonRole = "liaison", "ROLE_LIAISON"
)

// schemas is the actor that finds out whether the nodes have the schema of the database's registry. A
// round is two collections, one after the other.
type schemas struct {
	sys       *actors.System
	log       *zap.Logger
	collector *actors.PID
	ids       *atomic.Uint64
	interval  time.Duration // between two rounds; 0: there are none
	result    *atomic.Pointer[map[string]*messages.SchemaConsistency]
	state     schemaState
	// lifecycle is the first collection of the round; nil: it is under way, or no round is.
	lifecycle *messages.Collection
	// turn goes on to the next liaison when one cannot read the registry: not every agent can.
	turn int
	next actors.Timer
}

func (k *schemas) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		k.arm(c)
	case *actors.Stopping, *actors.Restarting:
		k.next.Disarm()
	case *actors.Stopped:
	case *messages.Collection:
		k.onCollected(c, m)
	case error:
		k.end(c) // Such as too little memory for the answers: the next round may have more.
	case actors.Tick:
		if k.next.Fired(m) {
			k.lifecycle = nil
			k.ask(c, messages.Query{Question: messages.LifecycleQuestion{}})
		}
	default:
		unknownMessage(k.log, m)
	}
}

func (k *schemas) ask(c actors.Context, q messages.Query) {
	q.Deadline = time.Now().Add(schemaTimeout)
	actors.Request(c, k.collector, collectQuery{requestID: k.ids.Add(1), query: q, own: true})
	k.next.Arm(c, 2*schemaTimeout) // If the collector fails on it, there is no answer.
}

func (k *schemas) onCollected(c actors.Context, m *messages.Collection) {
	if k.lifecycle == nil {
		if len(roundOf(m, &messages.Collection{}).groups) == 0 {
			k.publish(nil)
			k.end(c)
			return
		}
		k.lifecycle = m
		k.ask(c, messages.Query{Filter: messages.NodeFilter{NodeIDs: oneLiaison(m, k.turn)}, Question: messages.SchemaQuestion{}})
		return
	}
	round := roundOf(k.lifecycle, m)
	if round.registry == nil {
		k.turn++
	}
	k.publish(k.state.judged(round))
	k.end(c)
}

// publish makes the result known to all who read it without asking.
func (k *schemas) publish(known map[string]*messages.SchemaConsistency) { k.result.Store(&known) }

func (k *schemas) end(c actors.Context) {
	k.lifecycle = nil
	k.arm(c)
}

func (k *schemas) arm(c actors.Context) {
	if k.interval > 0 {
		k.next.Arm(c, k.interval)
	}
}

// oneLiaison returns the liaison whose agent is asked for the registry: of those that have answered first, then of
// those whose agents have nothing else to say, the one whose turn it is. If there is none, it is a node id that no
// node has.
func oneLiaison(c *messages.Collection, turn int) []string {
	var liaisons []string
	for _, why := range []messages.MissingReason{messages.MissingNone, messages.MissingUnserved} {
		for i := range c.Nodes {
			n := &c.Nodes[i]
			if n.Missing == why && (n.Identity.Role == liaisonRole || n.Identity.Role == databaseLiaisonRole) {
				liaisons = append(liaisons, n.Identity.NodeID)
			}
		}
	}
	if len(liaisons) == 0 {
		return []string{""}
	}
	return []string{liaisons[turn%len(liaisons)]}
}
