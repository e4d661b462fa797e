package simulation

import (
	"context"
	"time"

	"fodc/messages"
)

// The second proxy of a world, to which each agent of today links too. Nothing is done
// to it, nor to the paths to it: so nothing that is done to the other one, or to the
// paths there, may be seen in it.

// The addresses of the proxies.
const (
	mainAddr   = "proxy:17900"
	besideAddr = "beside:17900"
)

// markBeside takes note of a node whose process comes, goes or is not the only one. The
// world's lock is held.
func (w *world) markBeside(n *node, now time.Time) {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	if len(n.processes) != 1 || n.processes[0].leaving || n.processes[0].dead || n.home.beside.off {
		n.apart = now
	}
}

// checkBeside looks whether the proxy beside has each node online whose process runs.
func (w *world) checkBeside(sessions []messages.ActorNode) {
	if w.beside == nil {
		return
	}
	cluster, err := w.beside.proxy.Cluster(context.Background(), messages.NodeFilter{})
	if err != nil {
		w.fail("the cluster of the proxy beside: %v", err)
		return
	}
	shown := w.shown(cluster)
	for _, n := range w.nodes {
		w.mu.Lock()
		settled := time.Since(n.apart)
		w.mu.Unlock()
		s := shown[n.id]
		if !n.baseline && settled > quickRecovery && (s.Status != messages.StatusOnline || time.Since(s.LastHeartbeat) > heartbeatInterval+time.Second) {
			w.fail("%s is %q at the proxy beside (heard of %s ago), and its process runs for %s", n.id, s.Status, time.Since(s.LastHeartbeat), settled)
		}
		if n.baseline && s.Status != "" {
			w.fail("%s is %q at the proxy beside, to which it has no link", n.id, s.Status)
		}
	}
	w.seenBeside = w.checkSessions(w.seenBeside, sessions, shown)
}
