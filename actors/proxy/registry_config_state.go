package proxy

import "fodc/messages"

// maxConfigsBytes bounds the memory of the configurations of all nodes. A single one may have
// 256 KiB; those of real nodes have a few KiB.
const maxConfigsBytes = 64 << 20

// storeConfig stores the configuration that an agent has sent; nil means that it has not
// changed. A configuration that exceeds maxConfigsBytes is replaced by a note that says so.
func (s *registryState) storeConfig(n *node, sent *messages.NodeConfig) {
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
		bytes = 0 // Otherwise the notes could fill the budget, and the configuration never fit again.
	}
	n.registration.Config, n.configBytes = kept, bytes
}

// dropConfig removes a node's configuration.
func (n *node) dropConfig() { n.registration.Config, n.configBytes = nil, 0 }
