package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"fodc/messages"
)

// noConfig is in errors of a node that has sent no configuration.
const noConfig = "the agent has sent no configuration"

// configView is the JSON of a node in /cluster/config.
type configView struct {
	NodeID  string          `json:"node_id"`
	Role    string          `json:"node_role"`
	PodName string          `json:"pod_name"`
	Status  messages.Status `json:"status"`
	// The values of parameters are JSON already.
	StartupParams map[string]json.RawMessage `json:"startup_params"`
	RuntimeConfig map[string]json.RawMessage `json:"runtime_config"`
	// CollectedAt is by the agent's clock; absent where nothing is known.
	CollectedAt time.Time `json:"collected_at,omitzero"`
	Sources     []string  `json:"sources"`
	Errors      []string  `json:"errors"`
}

// serveConfig responds with what agents have sent, those that are unconnected now included.
func (a *ProxyAPI) serveConfig(w http.ResponseWriter, r *http.Request) error {
	p, err := paramsOf(r)
	if err != nil {
		return err
	}
	diff, err := p.flag("diff")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), clusterTimeout)
	defer cancel()
	configs, err := a.Configs(ctx, p.filter())
	if err != nil {
		return err
	}
	configs = slices.SortedFunc(slices.Values(configs), func(a, b messages.NodeConfiguration) int {
		return cmp.Compare(a.Identity.NodeID, b.Identity.NodeID)
	})
	if diff {
		return writeJSON(w, http.StatusOK, diffOf(configs))
	}
	return writeConfigs(w, configs)
}

// writeConfigs encodes one node at a time: the configurations of a large cluster are many
// megabytes.
func writeConfigs(w http.ResponseWriter, configs []messages.NodeConfiguration) error {
	w.Header().Set("Content-Type", contentJSON)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	separator := `{"configurations":[`
	for i := range configs {
		if _, err := w.Write([]byte(separator)); err != nil {
			return fmt.Errorf("write the response: %w", err)
		}
		if err := e.Encode(configViewOf(&configs[i])); err != nil {
			return fmt.Errorf("write the configuration of %q: %w", configs[i].Identity.NodeID, err)
		}
		separator = ","
	}
	if len(configs) == 0 {
		return writeBody(w, http.StatusOK, contentJSON, []byte(separator+"]}\n"))
	}
	if _, err := w.Write([]byte("]}\n")); err != nil {
		return fmt.Errorf("write the response: %w", err)
	}
	return nil
}

// configViewOf returns the node's configuration as JSON shows it. Empty maps and lists are not
// null.
func configViewOf(n *messages.NodeConfiguration) configView {
	v := configView{NodeID: n.Identity.NodeID, Role: n.Identity.Role, PodName: n.Identity.PodName, Status: n.Status,
		StartupParams: map[string]json.RawMessage{}, RuntimeConfig: map[string]json.RawMessage{},
		Sources: []string{}, Errors: []string{}}
	if n.Config == nil {
		v.Errors = append(v.Errors, noConfig)
		return v
	}
	for _, p := range n.Config.StartupParams {
		v.StartupParams[p.Key] = json.RawMessage(p.Value)
	}
	for _, p := range n.Config.RuntimeConfig {
		v.RuntimeConfig[p.Key] = json.RawMessage(p.Value)
	}
	v.CollectedAt = jsonTime(n.Config.CollectedAt)
	v.Sources = append(v.Sources, n.Config.Sources...)
	v.Errors = append(v.Errors, n.Config.Errors...)
	return v
}
