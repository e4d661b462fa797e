package simulation

import (
	"context"
	"time"

	"fodc/messages"
)

// The second proxy of a world. Each agent of this module connects to both. The second proxy
// and the paths to it are never disturbed, and disturbances of the first one and its paths
// must not show there.

// The addresses of the proxies.
const (
	mainAddr   = "proxy:17900"
	secondAddr = "second:17900"
)

// markSecond updates notSingle of a node whose process is not there, is leaving or is not the
// only one. The caller holds the world's lock.
func (w *world) markSecond(n *node, now time.Time) {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	if len(n.processes) != 1 || n.processes[0].leaving || n.processes[0].dead || n.home.second.off {
		n.notSingle = now
	}
}

// checkSecond checks that each node whose process runs is online at the second proxy.
func (w *world) checkSecond(sessions []messages.ActorNode) {
	if w.second == nil {
		return
	}
	cluster, err := w.second.proxy.Cluster(context.Background(), messages.NodeFilter{})
	if err != nil {
		w.fail("the cluster of the second proxy: %v", err)
		return
	}
	shown := w.shown(cluster)
	for _, n := range w.nodes {
		w.mu.Lock()
		stable := time.Since(n.notSingle)
		w.mu.Unlock()
		s := shown[n.id]
		if !n.baseline && stable > quickRecovery && (s.Status != messages.StatusOnline || time.Since(s.LastHeartbeat) > heartbeatInterval+time.Second) {
			w.fail("%s is %q at the second proxy (heard of %s ago), and its process runs for %s", n.id, s.Status, time.Since(s.LastHeartbeat), stable)
		}
		if n.baseline && s.Status != "" {
			w.fail("%s is %q at the second proxy, to which it has no link", n.id, s.Status)
		}
	}
	w.seenAtSecond = w.checkSessions(w.seenAtSecond, sessions, shown)
}
