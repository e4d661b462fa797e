package httpapi

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"fodc/httpapi/exposition"
	"fodc/messages"
)

// nodePath returns the path of a node's page. It is not escaped, since Prometheus escapes the
// path of a target.
func nodePath(nodeID string) string { return "/agents/" + nodeID + "/metrics" }

// serveNode responds with the latest samples of one node, as they are on /metrics. A node that
// is missing is an error: the scrape of its page fails, and Prometheus's up of it is 0.
func (a *ProxyAPI) serveNode(w http.ResponseWriter, r *http.Request) error {
	p, err := paramsOf(r)
	if err != nil {
		return err
	}
	if _, err := p.choice("format", formatText); err != nil {
		return err
	}
	names, err := p.names()
	if err != nil {
		return err
	}
	id := r.PathValue("node_id")
	c, release, err := a.collect(w, r, p, messages.Query{
		Filter: messages.NodeFilter{NodeIDs: []string{id}}, Selection: messages.Selection{Names: names}})
	if err != nil {
		return err
	}
	defer release()
	if len(c.Nodes) == 0 {
		return messages.Errorf(messages.ErrNotFound, "no node %q is registered; /cluster lists those that are", truncated(id))
	}
	if reason := c.Nodes[0].Missing; reason != messages.MissingNone {
		return messages.Errorf(messages.ErrUnavailable, "the node %q is missing: %s", truncated(id), reason)
	}
	return a.writeText(w, r, c, exposition.Options{})
}

// targetGroup is an element of what Prometheus's HTTP service discovery reads.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// Labels of targets. Those with metaPrefix can be used in relabelling, and are dropped after it.
const (
	labelPath     = "__metrics_path__"
	labelScheme   = "__scheme__"
	labelInstance = "instance"
	metaPrefix    = "__meta_fodc_"
	metaNodeLabel = metaPrefix + "label_"
)

// serveTargets responds with a target for each node, online or not. Its URL is that of the
// node's page on this proxy.
func (a *ProxyAPI) serveTargets(w http.ResponseWriter, r *http.Request) error {
	p, err := paramsOf(r)
	if err != nil {
		return err
	}
	host, common, prefix := r.Host, map[string]string{}, ""
	if r.TLS != nil {
		common[labelScheme] = "https"
	}
	if u := a.ExternalURL; u != nil {
		host, prefix = u.Host, u.Path
		common[labelScheme] = u.Scheme
	}
	if host == "" {
		return messages.Errorf(messages.ErrBadData, "the request names no host that targets could have: send one, or set --external-url")
	}
	c, err := a.cluster(r, p)
	if err != nil {
		return err
	}
	slices.SortFunc(c.Nodes, func(a, b messages.NodeStatus) int { return cmp.Compare(a.Identity.NodeID, b.Identity.NodeID) })
	groups := make([]targetGroup, 0, len(c.Nodes))
	for i := range c.Nodes {
		labels := targetLabels(&c.Nodes[i])
		maps.Copy(labels, common)
		labels[labelPath] = prefix + nodePath(c.Nodes[i].Identity.NodeID)
		groups = append(groups, targetGroup{[]string{host}, labels})
	}
	return writeJSON(w, http.StatusOK, groups)
}

// targetLabels returns the labels of a node's target. Only instance stays on its samples; they
// have the node's identity labels already.
func targetLabels(n *messages.NodeStatus) map[string]string {
	id := n.Identity
	labels := map[string]string{labelInstance: id.NodeID}
	set := func(name, value string) {
		if _, taken := labels[name]; value != "" && !taken {
			labels[name] = value
		}
	}
	set(metaPrefix+"node_id", id.NodeID)
	set(metaPrefix+"node_role", id.Role)
	set(metaPrefix+"pod_name", id.PodName)
	set(metaPrefix+"status", string(n.Status))
	set(metaPrefix+"agent_version", n.AgentVersion)
	if !n.Primary.IsZero() {
		set(metaPrefix+"address", n.Primary.String())
	}
	for _, name := range slices.Sorted(maps.Keys(id.Labels)) {
		set(messages.EscapedLabelName(metaNodeLabel+name), id.Labels[name])
	}
	return labels
}
