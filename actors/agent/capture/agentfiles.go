package capture

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"fodc/messages"
)

// Limits of what is asked within the agent.
const (
	maxDocumentBytes = 8 << 20
	documentTimeout  = 10 * time.Second
)

func (c *Config) agentSteps() (steps []Step) {
	if c.NodeConfig != nil {
		steps = append(steps, document(messages.EvidenceConfig, "config.json", func(ctx context.Context) (any, error) {
			config, err := c.NodeConfig(ctx)
			if err == nil && config == nil {
				err = errors.New("nothing is known of the node's configuration")
			}
			if err != nil {
				return nil, err
			}
			return configOf(config), nil
		}))
		steps[0].Stays = true
	}
	if c.Actors != nil {
		steps = append(steps, document(messages.EvidenceAgent, "agent/actors.json", func(context.Context) (any, error) { return c.Actors(), nil }))
		steps[len(steps)-1].Stays = true
	}
	return steps
}

// document returns the step of a JSON document.
func document(what, path string, read func(context.Context) (any, error)) Step {
	return Step{What: what, Path: path, Limit: maxDocumentBytes, Timeout: documentTimeout, Run: func(ctx context.Context, w io.Writer) error {
		value, err := read(ctx)
		if err != nil {
			return err
		}
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(value)
	}}
}

// configDocument is config.json. Its names are those of the HTTP API.
type configDocument struct {
	CollectedAt   time.Time                  `json:"collected_at"`
	StartupParams map[string]json.RawMessage `json:"startup_params"`
	RuntimeConfig map[string]json.RawMessage `json:"runtime_config"`
	Sources       []string                   `json:"sources"`
	Errors        []string                   `json:"errors"`
}

func configOf(c *messages.NodeConfig) configDocument {
	params := func(list []messages.ConfigParam) map[string]json.RawMessage {
		all := map[string]json.RawMessage{}
		for _, p := range list {
			all[p.Key] = json.RawMessage(p.Value)
		}
		return all
	}
	return configDocument{c.CollectedAt.UTC(), params(c.StartupParams), params(c.RuntimeConfig), append([]string{}, c.Sources...), append([]string{}, c.Errors...)}
}
