package proxy

import (
	"maps"
	"slices"
	"time"

	"fodc/messages"
)

// Limits of what a round judges. An agent may say that there are any number of nodes and objects, of which
// each has to be compared with each: groups for which that would be too many are of an unknown status.
const (
	maxJudgedGroups = 1024
	// maxComparisons bounds the comparisons of a node with an object, maxIssues the disagreements.
	maxComparisons = 4 << 20
	maxIssues      = 64 << 10
)

// schemaState judges rounds. In each, one agent is asked for the database's registry, and all for what
// their nodes have of it.
type schemaState struct {
	// before are the disagreements of the round before, by group. known is what was said last.
	before map[string]map[messages.SchemaIssue]time.Time
	known  map[string]*messages.SchemaConsistency
}

// schemaRound is what a round has brought.
type schemaRound struct {
	// registry are the objects by group; nil: it could not be read.
	registry map[string][]messages.SchemaObject
	// incomplete are groups of which the registry could not be read.
	incomplete map[string]bool
	// groups are what agents say of a group's nodes.
	groups map[string]*schemaEvidence
	// nodesMissing says that an agent that may know of groups has not answered.
	nodesMissing bool
}

// schemaEvidence is what agents say of the nodes of a group.
type schemaEvidence struct {
	nodes map[string]*nodeSchema
	// failed says that an agent could not ask all nodes.
	failed bool
}

// nodeSchema is what a node has of a group's objects, and when that was read.
type nodeSchema struct {
	at      time.Time
	objects map[schemaObject]messages.NodeFingerprint
}

type schemaObject struct{ kind, name string }

// roundOf puts together the answers of all agents and of the one that was asked for the registry.
func roundOf(lifecycle, registry *messages.Collection) *schemaRound {
	r := &schemaRound{groups: map[string]*schemaEvidence{}, incomplete: map[string]bool{}}
	for i := range lifecycle.Nodes {
		n := &lifecycle.Nodes[i]
		switch n.Missing {
		case messages.MissingNone:
		case messages.MissingUnserved:
			continue
		default:
			r.nodesMissing = true
		}
		for _, p := range n.Parts {
			if l, ok := p.(*messages.Lifecycle); ok {
				for j := range l.Groups {
					r.addGroup(&l.Groups[j], l.At)
				}
			}
		}
	}
	r.addRegistry(registry)
	return r
}

func (r *schemaRound) addGroup(g *messages.LifecycleGroup, at time.Time) {
	if g.Consistency == nil {
		return
	}
	e := r.groups[g.Name]
	if e == nil {
		if len(r.groups) >= maxJudgedGroups {
			return
		}
		e = &schemaEvidence{nodes: map[string]*nodeSchema{}}
		r.groups[g.Name] = e
	}
	e.failed = e.failed || len(g.Errors) > 0
	for i := range g.Consistency.Objects {
		o := &g.Consistency.Objects[i]
		for _, f := range o.Nodes {
			n := e.nodes[f.Node]
			if n == nil || at.After(n.at) {
				n = &nodeSchema{at: at, objects: map[schemaObject]messages.NodeFingerprint{}}
				e.nodes[f.Node] = n
			}
			if n.at.Equal(at) { // Older evidence of the same node counts no more.
				n.objects[schemaObject{o.Kind, o.Name}] = f
			}
		}
	}
}

// addRegistry takes the first answer that has read the registry.
func (r *schemaRound) addRegistry(c *messages.Collection) {
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if n.Missing != messages.MissingNone || len(n.Parts) == 0 {
			continue
		}
		groups, incomplete, failed := map[string][]messages.SchemaObject{}, map[string]bool{}, false
		for _, p := range n.Parts {
			g, ok := p.(*messages.SchemaGroup)
			switch {
			case !ok:
			case g.Group == "":
				failed = failed || g.Error != ""
			default:
				groups[g.Group] = append(groups[g.Group], g.Objects...)
				incomplete[g.Group] = incomplete[g.Group] || g.Error != ""
			}
		}
		if !failed {
			r.registry, r.incomplete = groups, incomplete
			return
		}
	}
}

// judged returns what is known of each group after a round. Groups of which no agent says anything are
// left out.
func (s *schemaState) judged(r *schemaRound) map[string]*messages.SchemaConsistency {
	issues := map[string]map[messages.SchemaIssue]time.Time{}
	s.known = map[string]*messages.SchemaConsistency{}
	comparisons, found := 0, 0
	for _, name := range slices.Sorted(maps.Keys(r.groups)) {
		e := r.groups[name]
		comparisons += e.comparisons(r.registry[name])
		judged := r.registry != nil && !r.incomplete[name] && comparisons <= maxComparisons && found < maxIssues
		complete := judged && !r.nodesMissing && !e.failed && len(e.nodes) > 0
		v := &messages.SchemaConsistency{Status: messages.ConsistencyUnknown, Objects: e.objects(r.registry[name])}
		if judged {
			issues[name] = e.issues(r.registry[name], maxIssues-found)
			found += len(issues[name])
			v.Issues = confirmed(issues[name], s.before[name])
		}
		switch {
		case len(v.Issues) > 0:
			v.Status = messages.ConsistencyInconsistent
		case complete:
			v.Status = messages.ConsistencyConsistent
		}
		s.known[name] = v
	}
	s.before = issues
	return s.known
}
