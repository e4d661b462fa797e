package httpapi

import (
	"fmt"
	"net/http"
	"strings"

	"fodc/messages"
)

const (
	headerMissing = "X-Fodc-Missing"
	headerPartial = "X-Fodc-Partial"
	// maxReasonsBytes bounds a list of nodes with their reasons, since many clients bound headers.
	maxReasonsBytes = 4 << 10
)

// missingOf lists the nodes that are missing from the collection, and why. That an agent does not serve
// a question is no fault.
func missingOf(c *messages.Collection) (list string, count int) {
	return reasonsOf(c, func(n *messages.NodeAnswer) string {
		if n.Missing == messages.MissingUnserved {
			return ""
		}
		return string(n.Missing)
	})
}

// partialOf lists the nodes whose answers have less than what was asked for, and why.
func partialOf(c *messages.Collection) (list string, count int) {
	return reasonsOf(c, func(n *messages.NodeAnswer) string { return string(n.Partial) })
}

// reasonsOf lists for a header the nodes that have a reason, as node=reason,node=reason. A list
// that would be longer than maxReasonsBytes ends in ...=N for the N nodes that did not fit. It is
// empty if no node has a reason.
func reasonsOf(c *messages.Collection, reasonOf func(*messages.NodeAnswer) string) (list string, count int) {
	var b strings.Builder
	left := 0
	for i := range c.Nodes {
		n := &c.Nodes[i]
		reason := reasonOf(n)
		if reason == "" {
			continue
		}
		item := headerText(n.Identity.NodeID) + "=" + headerText(reason)
		count++
		if left > 0 || b.Len()+len(item) >= maxReasonsBytes {
			left++
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(item)
	}
	if left > 0 {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "...=%d", left)
	}
	return b.String(), count
}

// setReasons names in the headers of a response the nodes that are missing from the collection, and
// those whose answers are partial. It returns the same as a text, which is empty if the collection
// is whole.
func setReasons(h http.Header, c *messages.Collection) (text string) {
	var texts []string
	set := func(name, what, list string, count int) {
		if count > 0 {
			h.Set(name, list)
			texts = append(texts, fmt.Sprintf("%d of %d nodes are %s: %s", count, len(c.Nodes), what, list))
		}
	}
	missing, count := missingOf(c)
	set(headerMissing, "missing", missing, count)
	partial, count := partialOf(c)
	set(headerPartial, "partial", partial, count)
	return strings.Join(texts, "; ")
}

// headerText escapes as %XX the characters that separate items or must not be in a header.
func headerText(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c > '~' || strings.IndexByte(`%,=;"\`, c) >= 0:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
