package wire

import "fodc/messages"

func toConfiguration(c *messages.NodeConfig) *NodeConfiguration {
	return &NodeConfiguration{CollectedAt: toTimestamp(c.CollectedAt), StartupParams: toParameters(c.StartupParams),
		RuntimeConfig: toParameters(c.RuntimeConfig), Sources: c.Sources, Errors: c.Errors}
}

// fromConfiguration returns nil where none was sent.
func fromConfiguration(f *NodeConfiguration) *messages.NodeConfig {
	if f == nil {
		return nil
	}
	c := &messages.NodeConfig{CollectedAt: fromTimestamp(f.GetCollectedAt()), StartupParams: fromParameters(f.GetStartupParams()),
		RuntimeConfig: fromParameters(f.GetRuntimeConfig()), Sources: f.GetSources(), Errors: f.GetErrors()}
	if err := c.Validate(); err != nil {
		return &messages.NodeConfig{CollectedAt: c.CollectedAt, Errors: []string{
			Clean("the agent sent a configuration that cannot be taken: "+err.Error(), messages.MaxConfigNoteBytes)}}
	}
	return c
}

func toParameters(params []messages.ConfigParam) []*ConfigParameter {
	list := make([]*ConfigParameter, 0, len(params))
	for _, p := range params {
		list = append(list, &ConfigParameter{Key: p.Key, Value: p.Value})
	}
	return list
}

// fromParameters reads one parameter more than are allowed, so that Validate sees the excess.
func fromParameters(list []*ConfigParameter) []messages.ConfigParam {
	list = list[:min(len(list), messages.MaxConfigParams+1)]
	var params []messages.ConfigParam
	for _, p := range list {
		params = append(params, messages.ConfigParam{Key: p.GetKey(), Value: p.GetValue()})
	}
	return params
}
