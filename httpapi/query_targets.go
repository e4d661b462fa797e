package httpapi

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fodc/httpapi/exposition"
	"fodc/httpapi/promapi"
	"fodc/messages"
)

// targetPool is what targets belong to, in the API of Prometheus.
const targetPool = "fodc"

// What the API of Prometheus says of the health of a target.
const (
	targetUp      = "up"
	targetDown    = "down"
	targetUnknown = "unknown"
)

// QueryTargets returns a function that returns the nodes as what is scraped. They are to send
// heartbeats in an interval, and are given up after the timeout.
func (a *ProxyAPI) QueryTargets(interval, timeout time.Duration) func(context.Context) ([]promapi.Target, error) {
	return func(ctx context.Context) ([]promapi.Target, error) {
		ctx, cancel := context.WithTimeout(ctx, clusterTimeout)
		defer cancel()
		c, err := a.Cluster(ctx, messages.NodeFilter{})
		if err != nil {
			return nil, err
		}
		before := ""
		if a.ExternalURL != nil {
			before = a.ExternalURL.String()
		}
		targets := make([]promapi.Target, 0, len(c.Nodes))
		for i := range c.Nodes {
			n := &c.Nodes[i]
			t := promapi.Target{Labels: identityLabels(n.Identity), Pool: targetPool, URL: before + nodePath(n.Identity.NodeID), Health: targetUnknown,
				LastError: n.LastError, LastScrape: n.LastHeartbeat, Interval: interval, Timeout: timeout}
			switch n.Status {
			case messages.StatusOnline:
				t.Health = targetUp
			case messages.StatusUnconnected:
				t.Health = targetDown
			}
			if n.Timing != nil {
				t.LastScrapeDuration = n.Timing.RoundTrip
			}
			targets = append(targets, t)
		}
		slices.SortFunc(targets, func(a, b promapi.Target) int { return cmp.Compare(a.URL, b.URL) })
		return targets, nil
	}
}

// QueryTargets returns a function that returns what the agent scrapes, once in an interval.
func (a *AgentAPI) QueryTargets(interval time.Duration) func(context.Context) ([]promapi.Target, error) {
	return func(ctx context.Context) ([]promapi.Target, error) {
		ctx, cancel := context.WithTimeout(ctx, agentTimeout)
		defer cancel()
		h, err := a.Health(ctx)
		if err != nil {
			return nil, err
		}
		targets := make([]promapi.Target, 0, len(h.Targets))
		for i := range h.Targets {
			from := &h.Targets[i]
			t := promapi.Target{Labels: identityLabels(a.Identity()), Pool: targetPool, URL: from.Endpoint, Health: targetUp, LastError: from.Error,
				LastScrape: from.LastScrape, LastScrapeDuration: time.Duration(from.DurationSeconds * float64(time.Second)), Interval: interval, Timeout: interval}
			switch {
			case from.LastScrape.IsZero():
				t.Health = targetUnknown
			case !from.Up:
				t.Health = targetDown
			}
			if from.ContainerName != "" {
				t.Labels["container_name"] = from.ContainerName
			}
			targets = append(targets, t)
		}
		return targets, nil
	}
}

// identityLabels are the labels that say of each sample which node it is from.
func identityLabels(id messages.Identity) map[string]string {
	labels := map[string]string{}
	all, err := exposition.NewSampleLabels(id).Of("")
	if err != nil {
		return labels // It is about the labels of a sample, and there are none.
	}
	for _, l := range all {
		labels[l.Name] = l.Value
	}
	return labels
}
