package proxy

import "fodc/messages"

// maxConfigsBytes bounds the memory of the configurations of all nodes. A single one may have
// 256 KiB; those of real nodes have a few KiB. Each node may use its share of the limit,
// whatever the others use, so that large configurations of some nodes cannot keep out the
// small one of another. All together take at most twice the limit.
const maxConfigsBytes = 64 << 20

// storeConfig stores the configuration that an agent has sent; nil means that it has not
// changed. A configuration that exceeds both the limit and the node's share is replaced by a
// note that says so.
func (s *registryState) storeConfig(n *node, sent *messages.NodeConfig) {
	if sent == nil {
		return
	}
	kept := sent.KeepKnown(n.registration.Config)
	s.dropConfig(n)
	bytes := kept.MemoryBytes()
	if share := maxConfigsBytes / max(1, s.limits.MaxAgents); s.configsBytes+bytes > maxConfigsBytes && bytes > share {
		kept = &messages.NodeConfig{CollectedAt: sent.CollectedAt, Errors: []string{
			"the proxy does not keep this configuration of " + itoa(bytes) + " bytes: those of other nodes take " + itoa(s.configsBytes) +
				" bytes, and at most " + itoa(maxConfigsBytes) + " are allowed, or " + itoa(share) + " for one"}}
		bytes = 0 // Otherwise the notes could fill the budget, and the configuration never fit again.
	}
	n.registration.Config, n.configBytes = kept, bytes
	s.configsBytes += bytes
}

// dropConfig removes a node's configuration.
func (s *registryState) dropConfig(n *node) {
	s.configsBytes -= n.configBytes
	n.registration.Config, n.configBytes = nil, 0
}
