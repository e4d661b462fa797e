package httpapi

import (
	"fmt"
	"strings"

	"fodc/messages"
)

const (
	headerMissing = "X-Fodc-Missing"
	// maxMissingBytes bounds the list of missing nodes, since many clients bound headers.
	maxMissingBytes = 4 << 10
)

// missingOf lists the nodes that are missing from the collection for a header, as
// node=reason,node=reason. A list that would be longer than maxMissingBytes ends in ...=N for
// the N nodes that did not fit. It is empty if none is missing.
func missingOf(c *messages.Collection) (list string, count int) {
	var b strings.Builder
	left := 0
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if n.Missing == messages.MissingNone {
			continue
		}
		item := headerText(n.Identity.NodeID) + "=" + headerText(string(n.Missing))
		count++
		if left > 0 || b.Len()+len(item) >= maxMissingBytes {
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
