package proxy

import "fodc/messages"

// maxConfigsBytes bounds what the configurations of all nodes take in memory. One may take
// 256 KiB, which no real node comes near.
const maxConfigsBytes = 64 << 20

// keepConfig takes what an agent has sent of its node's configuration; nil is no news. One
// for which there is no room is not kept, and in its place stands why.
func (s *registryState) keepConfig(n *node, sent *messages.NodeConfig) {
	if sent == nil {
		return
	}
	kept := sent.KeepKnown(n.registration.Config)
	others := -n.configBytes
	for _, other := range s.nodes {
		others += other.configBytes
	}
	bytes := kept.MemoryBytes()
	if others+bytes > maxConfigsBytes {
		kept = &messages.NodeConfig{CollectedAt: sent.CollectedAt, Errors: []string{
			"the proxy does not keep this configuration of " + itoa(bytes) + " bytes: those of other nodes take " + itoa(others) +
				" bytes, and at most " + itoa(maxConfigsBytes) + " are allowed"}}
		bytes = 0 // The note must not take the place of what it stands for.
	}
	n.registration.Config, n.configBytes = kept, bytes
}

// dropConfig forgets a node's configuration.
func (n *node) dropConfig() { n.registration.Config, n.configBytes = nil, 0 }
