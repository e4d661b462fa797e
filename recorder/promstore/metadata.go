package promstore

import (
	"cmp"
	"context"
	"slices"

	"fodc/httpapi/exposition"
	"fodc/messages"

	"github.com/prometheus/prometheus/util/annotations"
)

// Metadata is what one node says of one family.
type Metadata struct {
	Node messages.Identity
	Name string
	Type messages.MetricType
	Help string
}

// Metadata returns what the nodes say of their families, sorted by name, then by node; of one
// family if name is not empty.
func (s *Store) Metadata(ctx context.Context, o Options, name string) ([]Metadata, annotations.Annotations, error) {
	q := &querier{store: s, options: o}
	defer q.Close()
	of := &selection{instant: true, end: maxMillis}
	if name != "" {
		of.names = []string{name}
	}
	q.pending = append(q.pending, of)
	q.resolve(ctx, of)
	if of.err != nil {
		return nil, nil, of.err
	}
	var (
		all     []Metadata
		answers []*messages.NodeAnswer
	)
	for _, n := range of.sources {
		answers = append(answers, n.answer)
		all = n.appendMetadata(all, name, s.cfg.OwnNode)
	}
	if o.Strict {
		if err := s.cfg.strictError(answers); err != nil {
			return nil, nil, err
		}
	}
	slices.SortStableFunc(all, func(a, b Metadata) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Node.NodeID, b.Node.NodeID))
	})
	return all, s.cfg.annotationsOf(answers), nil
}

// appendMetadata appends what the node says of its families, of several texts for the same the
// first.
func (n *node) appendMetadata(all []Metadata, name string, ownNode bool) []Metadata {
	add := func(f *messages.Family) {
		if name == "" || f.Name == name {
			all = append(all, Metadata{n.answer.Identity, f.Name, f.Type, f.Help})
		}
	}
	for _, f := range exposition.CollectionFamilies() {
		add(&f)
	}
	known := make(map[string]bool)
	for _, b := range n.data {
		for i := range b.Families {
			f := &b.Families[i]
			if known[f.Name] || exposition.IsAboutCollection(f.Name) || !ownNode && exposition.IsReserved(f.Name) {
				continue
			}
			known[f.Name] = true
			add(f)
		}
	}
	return all
}
