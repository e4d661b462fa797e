package httpapi

import (
	"net/http"

	"fodc/messages"
)

// collectParts is collect for a question beside metrics. A node whose agent has no such stream is no
// fault: it is not in the collection's lists of missing nodes.
func (a *ProxyAPI) collectParts(w http.ResponseWriter, r *http.Request, q messages.Question) (*messages.Collection, func(), error) {
	p, err := paramsOf(r)
	if err != nil {
		return nil, nil, err
	}
	return a.collect(w, r, p, messages.Query{Filter: p.filter(), Question: q})
}

// partsOf returns the parts of a type of a node's answer, in the order in which they came.
func partsOf[P messages.Part](n *messages.NodeAnswer) []P {
	var parts []P
	for _, p := range n.Parts {
		if one, ok := p.(P); ok {
			parts = append(parts, one)
		}
	}
	return parts
}

// listOf returns the list, which JSON shows as [] if it has no elements.
func listOf[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
