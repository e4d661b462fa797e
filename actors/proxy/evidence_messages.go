package proxy

import (
	"fodc/messages"
	"fodc/recorder/evidence"
)

// evidenceSource says where the evidence of a node comes from.
type evidenceSource uint8

const (
	// evidenceOfAgent are the files of the agent's incident. Its segment of samples becomes blocks.
	evidenceOfAgent evidenceSource = iota
	// evidenceOfStream are the samples that the node has of the time, asked for on its metrics stream:
	// of agents without incidents.
	evidenceOfStream
	// evidenceKept are the samples that the proxy itself has kept: of nodes that are lost.
	evidenceKept
)

// Messages from the actor incidents to the actor evidence.
type (
	// useStore says that the store is open. Before it nothing is fetched.
	useStore struct{ store *evidence.Store }
	// fetchEvidence asks for the evidence of a node. It may be sent again for the same incident and node:
	// when the files have changed, which replaces what was asked for, and when the node is back, which
	// ends the wait for the next try.
	fetchEvidence struct {
		incidentID string // the proxy's
		from       evidenceSource
		// number tells questions apart: nodeFetched has that of the newest one.
		number uint64
		// node says who that is: its identity, IncidentID, Dir, From and To by the proxy's clock, ClockOffsetSeconds,
		// and the Files as the agent has them, or as they have come before. Samples that the proxy collects or has kept
		// are beside those.
		node messages.IncidentNode
	}
	// forgetEvidence says that an incident is removed: nothing of it is fetched any more.
	forgetEvidence struct{ incidentID string }
)

// nodeFetched tells whoever has sent fetchEvidence, by actors.Request, what there is of a node: after each try, and
// when all has come. The files are in the store, and named by no document yet.
type nodeFetched struct {
	incidentID, nodeID string
	number             uint64 // of the newest fetchEvidence
	// files are all that have come so far. missing has what has not, and why.
	files   []messages.EvidenceFile
	missing []messages.EvidenceMissing
	// done says that nothing more will come, unless fetchEvidence is sent again.
	done bool
}
