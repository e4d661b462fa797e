package agent

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fodc/messages"
)

// identityWait bounds how long a registration waits for the node to say who it is. What it says later
// is sent with a heartbeat.
const identityWait = 2 * time.Second

// nodeIdentity is who the node is: what the configuration says, and for the rest what the node says of
// itself. It may be read from anywhere.
type nodeIdentity struct {
	configured messages.Registration
	current    atomic.Pointer[messages.Registration]
	// asked is closed when the node was asked for the first time.
	asked chan struct{}
	once  sync.Once
}

// newNodeIdentity returns the identity of a node. If asked is set, the node is asked who it is.
func newNodeIdentity(configured messages.Registration, asked bool) *nodeIdentity {
	i := &nodeIdentity{configured: configured, asked: make(chan struct{})}
	known := configured
	if known.Role == "" {
		known.Role = messages.RoleUnspecified
	}
	i.current.Store(&known)
	if !asked {
		i.markAsked()
	}
	return i
}

// registration returns what is known of the node. It is not to be changed.
func (i *nodeIdentity) registration() messages.Registration { return *i.current.Load() }

// identity returns who the node is, as proxies know it.
func (i *nodeIdentity) identity() messages.Identity { return i.current.Load().Identity() }

// learn takes what the node says of itself. It returns how many of its labels are left out.
func (i *nodeIdentity) learn(role string, labels map[string]string) (left int) {
	if role != "" || len(labels) > 0 {
		known, out := withNode(i.configured, role, labels)
		if known.Role == "" {
			known.Role = i.current.Load().Role
		}
		i.current.Store(&known)
		left = out
	}
	i.markAsked()
	return left
}

// markAsked lets those go on who await.
func (i *nodeIdentity) markAsked() { i.once.Do(func() { close(i.asked) }) }

// await waits until the node was asked for the first time, for at most identityWait.
func (i *nodeIdentity) await(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, identityWait)
	defer cancel()
	select {
	case <-i.asked:
	case <-ctx.Done():
	}
}

// withNode returns what is configured with what the node says of itself. A role that is configured
// counts, and so does a label. Labels that no proxy would accept are left out, and counted.
func withNode(configured messages.Registration, role string, labels map[string]string) (known messages.Registration, left int) {
	known = configured
	if known.Role == "" {
		known.Role = role
	}
	known.Labels = maps.Clone(configured.Labels)
	if known.Labels == nil {
		known.Labels = make(map[string]string, len(labels))
	}
	checked := messages.Registration{NodeID: "n", Role: messages.RoleUnspecified, Labels: known.Labels}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if _, isConfigured := known.Labels[name]; isConfigured || labels[name] == "" {
			continue
		}
		known.Labels[name] = labels[name]
		if checked.Validate() != nil {
			delete(known.Labels, name)
			left++
		}
	}
	return known, left
}
