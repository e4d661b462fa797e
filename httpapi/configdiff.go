package httpapi

import (
	"encoding/json"
	"maps"
	"slices"

	"fodc/messages"
)

// diffView is the JSON of /cluster/config?diff=1.
type diffView struct {
	// Differences are sorted by role, section and name.
	Differences []differenceView `json:"differences"`
	// NotCompared are the sections that could not be read: nothing is known of them.
	NotCompared []notComparedView `json:"not_compared"`
}

// differenceView is a parameter with different values on nodes of one role.
type differenceView struct {
	Role    string `json:"node_role"`
	Section string `json:"section"`
	Name    string `json:"name"`
	// Values are sorted by the first of their nodes.
	Values []diffValueView `json:"values"`
}

type diffValueView struct {
	// Value is absent where Missing says that the nodes lack the parameter.
	Value   json.RawMessage `json:"value,omitempty"`
	Missing bool            `json:"missing,omitempty"`
	NodeIDs []string        `json:"node_ids"`
}

// notComparedView is a section of a node's configuration that could not be read.
type notComparedView struct {
	NodeID  string   `json:"node_id"`
	Role    string   `json:"node_role"`
	Section string   `json:"section"`
	Errors  []string `json:"errors"`
}

var configSections = []struct {
	name string
	of   func(*messages.NodeConfig) []messages.ConfigParam
}{
	{"startup_params", func(c *messages.NodeConfig) []messages.ConfigParam { return c.StartupParams }},
	{"runtime_config", func(c *messages.NodeConfig) []messages.ConfigParam { return c.RuntimeConfig }},
}

// diffOf compares the nodes of each role; configs are sorted by node id. A node whose
// section is empty because of an error is not compared: every parameter would be missing.
func diffOf(configs []messages.NodeConfiguration) diffView {
	view := diffView{Differences: []differenceView{}, NotCompared: []notComparedView{}}
	byRole := map[string][]messages.NodeConfiguration{}
	for _, n := range configs {
		byRole[n.Identity.Role] = append(byRole[n.Identity.Role], n)
	}
	for _, role := range slices.Sorted(maps.Keys(byRole)) {
		for _, section := range configSections {
			compared := comparison{values: map[string][]nodeValue{}}
			for _, n := range byRole[role] {
				var params []messages.ConfigParam
				errors := []string{noConfig}
				if n.Config != nil {
					params, errors = section.of(n.Config), n.Config.Errors
				}
				if len(params) == 0 && len(errors) > 0 {
					view.NotCompared = append(view.NotCompared, notComparedView{n.Identity.NodeID, role, section.name, append([]string{}, errors...)})
					continue
				}
				compared.add(n.Identity.NodeID, params)
			}
			for _, name := range slices.Sorted(maps.Keys(compared.values)) {
				if values := compared.of(name); len(values) > 1 {
					view.Differences = append(view.Differences, differenceView{role, section.name, name, values})
				}
			}
		}
	}
	return view
}

// comparison is a section of the nodes of one role.
type comparison struct {
	nodes []string
	// values are the nodes that have a parameter, by its name, in the order of nodes.
	values map[string][]nodeValue
}

type nodeValue struct {
	node  int
	value string
}

func (c *comparison) add(nodeID string, params []messages.ConfigParam) {
	for _, p := range params {
		c.values[p.Key] = append(c.values[p.Key], nodeValue{len(c.nodes), p.Value})
	}
	c.nodes = append(c.nodes, nodeID)
}

// of returns the values of a parameter, each with its nodes. A parameter's value is JSON, and so
// never empty: an empty one stands for nodes without the parameter.
func (c *comparison) of(name string) []diffValueView {
	var values []diffValueView
	at, having := map[string]int{}, c.values[name] // at is the index in values, by value
	for node, id := range c.nodes {
		value := ""
		if len(having) > 0 && having[0].node == node {
			value, having = having[0].value, having[1:]
		}
		i, known := at[value]
		if !known {
			i = len(values)
			at[value] = i
			values = append(values, diffValueView{Value: json.RawMessage(value), Missing: value == ""})
		}
		values[i].NodeIDs = append(values[i].NodeIDs, id)
	}
	return values
}
