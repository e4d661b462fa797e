package agent

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"fodc/messages"
)

// identityRetry is how soon the node is asked again who it is, as long as it has not said so.
const identityRetry = 2 * time.Second

// databaseState decides when which port of the node is asked, and keeps what they have said: who the
// node is, and which nodes it knows. What is known stays known while the node does not answer.
type databaseState struct {
	interval time.Duration
	ports    []databasePort // in the order in which the node is believed
	whole    time.Time      // when all is asked for again, not only who the node is
	// role is the node's, empty until it is known; labels are those that it had last.
	role   string
	labels map[string]string
	// allPolled says that every port was asked once.
	allPolled bool
}

// databasePort is a port of the node, and what it has said last.
type databasePort struct {
	number  int
	polling bool
	polled  bool
	// node is nil until it is known. knowsNodes says that nodes were read.
	node       *messages.DatabaseNode
	nodes      []messages.DatabaseNode
	knowsNodes bool
	// lacksNode and lacksNodes say that the port does not serve the question.
	lacksNode, lacksNodes bool

	up       bool
	failures uint64
	failure  failureLog
	cause    string // of the last poll's failure; empty: it did not fail
}

// databasePoll is the answer of a port.
type databasePoll struct {
	port int // its place among the ports
	node databaseAnswer[*messages.DatabaseNode]
	// nodes is nil where they were not asked for.
	nodes *databaseAnswer[[]messages.DatabaseNode]
}

// databaseAnswer is what was answered to one question: lacks says that it is not served there, cause
// why there is no answer.
type databaseAnswer[T any] struct {
	value T
	lacks bool
	cause string
}

// databaseEffect is something that the actor has to do.
type databaseEffect interface{ isDatabaseEffect() }

type (
	// startPoll asks a port who the node is and, if whole is set, which nodes it knows.
	startPoll struct {
		port, number int
		whole        bool
	}
	// armPoll arms the timer of the next poll.
	armPoll struct{ after time.Duration }
	// tellIdentity says who the node is: the state's role and labels. They may be empty.
	tellIdentity struct{}
	logDatabase  struct{ logEntry }
)

func (startPoll) isDatabaseEffect()    {}
func (armPoll) isDatabaseEffect()      {}
func (tellIdentity) isDatabaseEffect() {}
func (logDatabase) isDatabaseEffect()  {}

func newDatabaseState(ports []int, interval time.Duration) *databaseState {
	s := &databaseState{interval: interval}
	for _, number := range ports {
		s.ports = append(s.ports, databasePort{number: number})
	}
	return s
}

// due starts a poll of each port that has answered the last one. Until the node has said who it is, it
// is asked more often for that, and for the nodes that it knows if it has not said that either.
func (s *databaseState) due(now time.Time) (effects []databaseEffect) {
	whole := !now.Before(s.whole)
	if whole {
		s.whole = now.Add(s.interval)
	}
	for i := range s.ports {
		p := &s.ports[i]
		if p.polling || !whole && p.lacksNode {
			continue
		}
		p.polling = true
		effects = append(effects, startPoll{i, p.number, whole || !p.knowsNodes && !p.lacksNodes})
	}
	after := s.whole.Sub(now)
	if s.role == "" && !s.isSilent() {
		after = min(after, identityRetry)
	}
	return append(effects, armPoll{after})
}

// isSilent reports whether no port can say who the node is.
func (s *databaseState) isSilent() bool {
	return !slices.ContainsFunc(s.ports, func(p databasePort) bool { return !p.lacksNode })
}

// answered takes the answer of a port.
func (s *databaseState) answered(a databasePoll, now time.Time) []databaseEffect {
	p := &s.ports[a.port]
	p.polling, p.polled = false, true
	effects := p.take(a, now)
	allPolled := s.allPolled
	s.allPolled = allPolled || !slices.ContainsFunc(s.ports, func(p databasePort) bool { return !p.polled })
	role, labels := s.identity()
	isNew := role != s.role || !maps.Equal(labels, s.labels)
	s.role, s.labels = role, labels
	if isNew {
		effects = append(effects, logDatabase{logEntry{text: shortText("the node says who it is: " + describeNode(role, labels))}})
	}
	if isNew || s.allPolled != allPolled {
		effects = append(effects, tellIdentity{})
	}
	return effects
}

// take records an answer, and returns what is to be logged of it.
func (p *databasePort) take(a databasePoll, now time.Time) []databaseEffect {
	p.lacksNode = a.node.lacks
	cause := a.node.cause
	if a.node.value != nil {
		p.node = a.node.value
	}
	if n := a.nodes; n != nil {
		p.lacksNodes = n.lacks
		cause = cmp.Or(cause, n.cause)
		if !n.lacks && n.cause == "" {
			p.nodes, p.knowsNodes = n.value, true
		}
	}
	if cause == "" && p.lacksNode && p.lacksNodes {
		cause = "the port serves neither NodeQueryService nor ClusterStateService"
	}
	p.up, p.cause = cause == "", cause
	if p.up {
		if lasted, times, was := p.failure.end(now); was {
			return []databaseEffect{logDatabase{logEntry{text: "the node answers again at port " + strconv.Itoa(p.number), lasted: lasted, times: times}}}
		}
		return nil
	}
	p.failures++
	if !p.failure.record(cause, now) {
		return nil
	}
	return []databaseEffect{logDatabase{logEntry{warn: true, cause: cause,
		text: "the node cannot be asked at port " + strconv.Itoa(p.number) + " (--cluster-state-ports)"}}}
}

// identity returns the node's role and labels. They are those of the first port that knows a role, or
// else a node. A role that was known is not unsaid.
func (s *databaseState) identity() (role string, labels map[string]string) {
	node := s.currentNode()
	if node == nil {
		return s.role, s.labels
	}
	return cmp.Or(roleOf(node), s.role), node.Labels
}

func (s *databaseState) currentNode() (node *messages.DatabaseNode) {
	for i := range s.ports {
		switch n := s.ports[i].node; {
		case n == nil:
		case roleOf(n) != "":
			return n
		case node == nil:
			node = n
		}
	}
	return node
}

// roleOf returns the role by which a node with several is called; empty if it has none that is known.
func roleOf(n *messages.DatabaseNode) string {
	for _, r := range []messages.DatabaseRole{messages.DatabaseRoleLiaison, messages.DatabaseRoleData, messages.DatabaseRoleMeta} {
		if slices.Contains(n.Roles, r) {
			return r.String()
		}
	}
	return ""
}

func describeNode(role string, labels map[string]string) string {
	pairs := make([]string, 0, len(labels))
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, strconv.Quote(name+"="+labels[name]))
	}
	return cmp.Or(role, messages.RoleUnspecified) + " [" + strings.Join(pairs, " ") + "]"
}

// topology returns the nodes that the node knows, sorted by name, and a call from it to each other
// one. Of nodes with the same name the first one counts. unknown says why the nodes are not known.
func (s *databaseState) topology(now time.Time) (t *messages.Topology, unknown string) {
	byName := map[string]*messages.DatabaseNode{}
	known := false
	for i := range s.ports {
		p := &s.ports[i]
		known = known || p.knowsNodes
		if !p.lacksNodes {
			unknown = cmp.Or(unknown, p.cause, "the node was not asked yet")
		}
		for j := range p.nodes {
			if n := &p.nodes[j]; n.Metadata.Name != "" && byName[n.Metadata.Name] == nil {
				byName[n.Metadata.Name] = n
			}
		}
	}
	if !known && unknown != "" {
		return nil, unknown
	}
	t = &messages.Topology{At: now}
	source := ""
	if node := s.currentNode(); node != nil {
		source = node.Metadata.Name
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		t.Nodes = append(t.Nodes, *byName[name])
		if source != "" && name != source {
			t.Calls = append(t.Calls, messages.Call{ID: source + "-" + name, Source: source, Target: name})
		}
	}
	return t, ""
}

// portStatus is how a port of the node does.
type portStatus struct {
	number   int
	up       bool
	failures uint64
}

func (s *databaseState) statuses() []portStatus {
	all := make([]portStatus, 0, len(s.ports))
	for i := range s.ports {
		all = append(all, portStatus{s.ports[i].number, s.ports[i].up, s.ports[i].failures})
	}
	return all
}
