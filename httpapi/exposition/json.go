package exposition

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf8"

	"fodc/messages"
)

// jsonTime is RFC 3339 with milliseconds.
const jsonTime = "2006-01-02T15:04:05.000Z07:00"

// WriteJSON writes the collection as a JSON array with an object for each series:
//
//	{"name", "description", "type", "labels": {}, "agent_id", "node_id", "pod_name",
//	 "data": [{"timestamp", "value"}]}
//
// name is that of the samples, suffix included; labels are those of the text page.
// A value is a number, or one of the strings NaN, +Inf, -Inf. Nodes that did not
// answer are not in it. The error is that of w.
func WriteJSON(w io.Writer, c *messages.Collection) (Conflicts, error) {
	m := mergeNodes(nodesOf(c), IsReserved)
	defer m.release()
	j := jsonWriter{out: newBuffer(w)}
	r := reader{conflicts: &m.conflicts}
	j.out.b = append(j.out.b, '[')
	r.each(m.groups, j.series)
	if j.any {
		j.out.b = append(j.out.b, '\n')
	}
	j.out.b = append(j.out.b, ']', '\n')
	return m.conflicts, j.out.finish()
}

type jsonWriter struct {
	out *buffer
	any bool
	// group and node are those of texts: names holds the start of a series' object
	// by suffix, identity the members behind its own labels.
	group    *group
	node     *node
	names    [messages.SuffixCount + 1][]byte
	identity []byte
	times    pointTimes
}

// pointTimes keeps the beginnings of points: the series of a target have the same times.
type pointTimes [256]struct {
	time int64
	text []byte
}

// point returns what the point of the time, in unix milliseconds, begins with.
func (p *pointTimes) point(at int64) []byte {
	// Scrapes are seconds apart, which fill the slots one by one.
	slot := &p[uint64(at/millis)%uint64(len(p))]
	if slot.text == nil || slot.time != at {
		b := append(slot.text[:0], `{"timestamp":"`...)
		b = time.UnixMilli(at).UTC().AppendFormat(b, jsonTime)
		slot.time, slot.text = at, append(b, `","value":`...)
	}
	return slot.text
}

func (j *jsonWriter) series(s *series) bool {
	j.prepare(s)
	b := j.out.b
	if j.any {
		b = append(b, ',')
	}
	j.any = true
	b = append(append(b, '\n'), j.names[s.suffix]...)
	for _, l := range s.labels.Labels() {
		b = append(appendMember(b, l), ',')
	}
	if len(s.node.identity) == 0 {
		b = bytes.TrimSuffix(b, []byte{','})
	}
	b = append(b, j.identity...)
	for i, x := range s.samples {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, j.times.point(x.time)...)
		b = append(appendNumber(b, x.value), '}')
		var ok bool
		if b, ok = j.out.pass(b); !ok {
			return false
		}
	}
	j.out.b = append(b, ']', '}')
	return true
}

// prepare makes the texts that the series of a family, or of a node, share.
func (j *jsonWriter) prepare(s *series) {
	if s.group != j.group {
		j.group = s.group
		for suffix := range j.names {
			b := append(j.names[suffix][:0], `{"name":`...)
			b = appendString(b, s.group.name+messages.Suffix(suffix).String())
			b = append(b, `,"description":`...)
			b = appendString(b, s.group.help)
			b = append(b, `,"type":`...)
			b = appendString(b, s.group.kind.String())
			j.names[suffix] = append(b, `,"labels":{`...)
		}
	}
	if s.node == j.node {
		return
	}
	j.node = s.node
	a := s.node.answer
	b := j.identity[:0]
	for i, l := range s.node.identity {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendMember(b, l.Label)
	}
	b = append(b, `},"agent_id":`...)
	b = appendString(b, a.AgentID)
	b = append(b, `,"node_id":`...)
	b = appendString(b, a.Identity.NodeID)
	b = append(b, `,"pod_name":`...)
	b = appendString(b, a.Identity.PodName)
	j.identity = append(b, `,"data":[`...)
}

func appendNumber(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		b = append(b, '"')
		return append(appendValue(b, v), '"')
	}
	return appendValue(b, v)
}

func appendMember(b []byte, l messages.Label) []byte {
	return appendString(append(appendString(b, l.Name), ':'), l.Value)
}

// appendString appends a JSON string. What is not UTF-8 is replaced.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
		i += size
	}
	return append(b, '"')
}
