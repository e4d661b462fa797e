package exposition

import (
	"io"
	"strconv"
	"strings"

	"fodc/messages"
)

// Options says how a page is written.
type Options struct {
	// Timestamps gives each sample its time, in unix milliseconds, and a series all
	// its samples, oldest first. Without it a series has one sample, its newest.
	Timestamps bool
	// Newest asks for one sample a series, its newest, also with Timestamps.
	Newest bool
	// EscapedNames is for readers that do not support UTF-8 names, and would refuse the whole
	// page: in names of families and labels everything but letters, digits and
	// underscores becomes an underscore.
	EscapedNames bool
}

// WriteText writes the collection as a page in the Prometheus text format 0.0.4.
// Nodes that did not answer are on it as samples of fodc_agent_up and
// fodc_agent_missing_reason; these carry no timestamps. The error is that of w.
func WriteText(w io.Writer, c *messages.Collection, o Options) (Conflicts, error) {
	nodes := nodesOf(o.escape(c))
	m := mergeNodes(nodes, IsReserved)
	defer m.release()
	m.addCollectionMetrics(nodes)
	err := m.writeText(w, o)
	return m.conflicts, err
}

// WriteNodeText writes the newest samples of one node as its own page: no identity
// labels, and nothing beside what the blocks hold. Of the options, EscapedNames counts.
// The error is that of w.
func WriteNodeText(w io.Writer, blocks []messages.Block, o Options) error {
	c := o.escape(&messages.Collection{Nodes: []messages.NodeAnswer{{Blocks: blocks}}})
	n := &node{answer: &c.Nodes[0]}
	m := mergeNodes([]*node{n}, neverReserved)
	defer m.release()
	return m.writeText(w, Options{EscapedNames: o.EscapedNames})
}

func (m *merge) writeText(w io.Writer, o Options) error {
	t := textWriter{out: newBuffer(w), timestamps: o.Timestamps}
	r := reader{escaped: o.EscapedNames, conflicts: &m.conflicts}
	if !o.Timestamps || o.Newest {
		r.latest = t.latest
	}
	r.each(m.groups, t.series)
	return t.out.finish()
}

type textWriter struct {
	out        *buffer
	timestamps bool
	// group is the family in progress. legacy says that its name needs no quotes. names has
	// the names of its samples by suffix, up to the opening of the labels.
	group  *group
	legacy bool
	names  [messages.SuffixCount + 1][]byte
	// prefixes are those of the descriptor in progress.
	prefixes linePrefixes
}

// identity is the text that each sample of the node in the family has.
func (g *group) identity(n *node) messages.LabelText {
	if g.samples != nil {
		return n.shortIdentity
	}
	return n.identityText
}

// latest writes the newest sample of each series of a normalized part, as series would.
func (t *textWriter) latest(g *group, p *part) bool {
	rows := len(p.block.Times)
	prefixes := t.prefixesOf(g, p.descriptor)
	b, ok := t.out.b, true
	for i := range p.descriptor.Series {
		s := &p.descriptor.Series[i]
		values := p.values[i*rows : (i+1)*rows]
		newest := newestOf(values)
		if newest < 0 {
			continue
		}
		if g != t.group {
			t.out.b = b
			t.begin(g)
			b = t.out.b
		}
		switch {
		case s.Labels == "" || p.node.lineEnd == "":
			b = t.appendName(b, s.Suffix, s.Labels, p.node.identityText)
		case prefixes != nil:
			b = append(append(b, prefixes.of(i)...), p.node.lineEnd...)
		default:
			b = append(append(append(b, t.names[s.Suffix]...), s.Labels...), p.node.lineEnd...)
		}
		b = appendValue(b, values[newest])
		if t.timestamps {
			b = appendTimestamp(b, p.block.Times[newest])
		}
		if b, ok = t.out.pass(append(b, '\n')); !ok {
			return false
		}
	}
	t.out.b = b
	return true
}

func (t *textWriter) series(s *series) bool {
	if s.group != t.group {
		t.begin(s.group)
	}
	identity := s.group.identity(s.node)
	timestamps := t.timestamps && s.group.samples == nil
	b, ok := t.out.b, true
	for _, x := range s.samples {
		b = t.appendName(b, s.suffix, s.labels, identity)
		b = appendValue(b, x.value)
		if timestamps {
			b = appendTimestamp(b, x.time)
		}
		b = append(b, '\n')
		if b, ok = t.out.pass(b); !ok {
			return false
		}
	}
	t.out.b = b
	return true
}

// appendTimestamp appends the time of a sample, in unix milliseconds.
func appendTimestamp(b []byte, at int64) []byte { return strconv.AppendInt(append(b, ' '), at, 10) }

// appendName appends all of a line that comes before the value.
func (t *textWriter) appendName(b []byte, s messages.Suffix, labels, identity messages.LabelText) []byte {
	b = append(b, t.names[s]...)
	switch {
	case len(labels) > 0 && len(identity) > 0:
		b = append(b, labels...)
		b = append(b, ',')
		b = append(b, identity...)
	case len(labels) > 0:
		b = append(b, labels...)
	case len(identity) > 0:
		b = append(b, identity...)
	default:
		// There are no labels. The name ends with the brace that opens them, or with
		// the comma between a quoted name and them: remove it.
		b = b[:len(b)-1]
		if t.legacy {
			return append(b, ' ')
		}
	}
	return append(b, '}', ' ')
}

// open keeps what the lines of a family begin with.
func (t *textWriter) open(g *group) {
	t.group, t.legacy = g, messages.IsLegacyMetricName(g.name)
	for s := range t.names {
		name := g.name + messages.Suffix(s).String()
		if t.legacy {
			t.names[s] = append(append(t.names[s][:0], name...), '{')
		} else {
			t.names[s] = append(messages.AppendQuoted(append(t.names[s][:0], '{'), name), ',')
		}
	}
}

// begin writes the head of a family.
func (t *textWriter) begin(g *group) {
	t.open(g)
	if g.help != "" {
		t.head("HELP", g.name)
		t.out.b = append(appendHelp(t.out.b, g.help, false), '\n')
	}
	t.head("TYPE", g.name)
	t.out.b = append(append(t.out.b, g.kind.String()...), '\n')
}

func (t *textWriter) head(word, name string) {
	b := append(t.out.b, "# "...)
	b = append(append(b, word...), ' ')
	if t.legacy {
		b = append(b, name...)
	} else {
		b = messages.AppendQuoted(b, name)
	}
	t.out.b = append(b, ' ')
}

// appendHelp appends a HELP text. quotes says that its quotes are escaped. Bytes that are not
// UTF-8 are replaced, as Prometheus would refuse the whole page.
func appendHelp(b []byte, help string, quotes bool) []byte {
	help = strings.ToValidUTF8(help, "\uFFFD")
	for i := range len(help) {
		switch c := help[i]; {
		case c == '\\':
			b = append(b, `\\`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '"' && quotes:
			b = append(b, `\"`...)
		default:
			b = append(b, c)
		}
	}
	return b
}
