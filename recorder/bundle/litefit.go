package bundle

import (
	"fmt"
	"strings"

	"fodc/messages"
)

const (
	// liteDocuments bounds the documents. Of a timeline that is longer the middle is left out.
	liteDocuments = 2 << 20
	// liteMissing is the part of it that is for what is missing, and liteReason bounds a reason if that is too little.
	liteMissing = liteDocuments / 4
	liteReason  = 200
)

// fitDocument leaves out of a document what is too much for a small bundle, and says so.
func fitDocument(i *messages.Incident) {
	for most := messages.MaxEvidenceMissing; missingBytes(i) > liteMissing && most > 1; most /= 2 {
		for n := range i.Nodes {
			cutMissing(&i.Nodes[n], most/2)
		}
	}
	if missingBytes(i) > liteMissing {
		for n := range i.Nodes {
			for m := range i.Nodes[n].Missing {
				if r := &i.Nodes[n].Missing[m].Reason; len(*r) > liteReason {
					*r = strings.ToValidUTF8((*r)[:liteReason], "") + "..."
				}
			}
		}
	}
	for len(i.Timeline) > 2 && textBytes(i) > liteDocuments {
		cut := len(i.Timeline) / 2
		i.Timeline, i.EventsDropped = append(i.Timeline[:cut/2:cut/2], i.Timeline[cut/2+cut:]...), i.EventsDropped+cut
	}
}

// cutMissing leaves the first ones of what is missing of a node, and the count of the others.
func cutMissing(n *messages.IncidentNode, most int) {
	if len(n.Missing) <= most+1 {
		return
	}
	others := len(n.Missing) - most
	var said int
	if _, err := fmt.Sscanf(n.Missing[len(n.Missing)-1].What, "%d others", &said); err == nil {
		others += said - 1
	}
	n.Missing = append(n.Missing[:most:most], messages.EvidenceMissing{What: fmt.Sprintf("%d others", others), Reason: "this is a small bundle: the whole one names them"})
}

func missingBytes(i *messages.Incident) (bytes int) {
	for n := range i.Nodes {
		for _, m := range i.Nodes[n].Missing {
			bytes += len(m.What) + len(m.Reason) + 64
		}
	}
	return bytes
}

func textBytes(i *messages.Incident) int {
	b, err := messages.EncodeIncident(i)
	if err != nil {
		return 0
	}
	return len(b)
}
