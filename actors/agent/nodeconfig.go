package agent

import (
	"context"
	"net/http"
	"time"

	"fodc/actors"
	"fodc/actors/agent/nodeconfig"
	"fodc/messages"

	"go.uber.org/zap"
)

// configWait bounds the wait of a registration for the node's configuration: one that
// comes later goes with a heartbeat.
const configWait = 2 * configPatience

// Messages to the actor of the node's configuration.
type (
	// checkConfig is answered with configChecked, within configPatience.
	checkConfig   struct{}
	configChecked struct {
		// config is nil where nothing is known; the same pointer as before if nothing
		// has changed.
		config *messages.NodeConfig
	}
	// configRead is the last word of a read; nil if a former one has not returned.
	configRead struct{ config *messages.NodeConfig }
)

// nodeConfig keeps the node's configuration. The collector outlives it: a read that
// hangs is still known to hang after a restart.
type nodeConfig struct {
	sys       *actors.System
	log       *zap.Logger
	collector *nodeconfig.Collector
	state     *nodeConfigState
	askers    []*actors.PID

	due, patience actors.Timer
	ctx           context.Context
	cancel        context.CancelCauseFunc
}

func newNodeConfig(sys *actors.System, collector *nodeconfig.Collector, cfg Config) *nodeConfig {
	return &nodeConfig{sys: sys, log: sys.Log(), collector: collector, state: newNodeConfigState(cfg.HeartbeatInterval, cfg.NodeOptional)}
}

func (n *nodeConfig) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		n.ctx, n.cancel = context.WithCancelCause(context.Background())
		n.do(c, n.state.due(time.Now()))
	case *actors.Stopping, *actors.Restarting:
		n.due.Disarm()
		n.patience.Disarm()
		n.cancel(errStopped)
	case *actors.Stopped:
	case checkConfig:
		n.askers = append(n.askers, c.Sender())
		n.do(c, n.state.asked(time.Now()))
	case configRead:
		n.patience.Disarm()
		n.do(c, n.state.returned(m.config, time.Now()))
	case actors.Tick:
		n.onTick(c, m)
	default:
		unknownMessage(n.log, m)
	}
}

func (n *nodeConfig) onTick(c actors.Context, m actors.Tick) {
	switch {
	case n.due.Fired(m):
		n.do(c, n.state.due(time.Now()))
	case n.patience.Fired(m):
		n.do(c, n.state.patienceOver(time.Now()))
	}
}

func (n *nodeConfig) do(c actors.Context, effects []nodeConfigEffect) {
	for _, e := range effects {
		switch e := e.(type) {
		case startConfigRead:
			go readConfig(newVoice(n.ctx, n.sys, c), n.collector, time.Now())
		case armConfigPatience:
			n.patience.Arm(c, e.after)
		case armConfigDue:
			n.due.Arm(c, e.after)
		case tellConfig:
			for _, asker := range n.askers {
				n.sys.Send(asker, configChecked{n.state.config})
			}
			n.askers = nil
		case logNodeConfig:
			logNote(n.log, e.note)
		}
	}
}

// nodeConfigOf returns where the node's configuration is read: of the endpoints that
// are scraped, too.
func nodeConfigOf(cfg Config, client *http.Client) nodeconfig.Config {
	c := *cfg.NodeConfig
	c.Fetch, c.Endpoints = cfg.Fetch, nil
	if c.Fetch == nil {
		fetch := newFetcher(client, userAgent(cfg.Version), nodeconfig.MaxCommandLineBytes)
		c.Fetch = func(ctx context.Context, url string) ([]byte, string, error) { return fetch(ctx, url, nil) }
	}
	for _, t := range cfg.Targets {
		c.Endpoints = append(c.Endpoints, t.URL)
	}
	return c
}

// readConfig does one read, which may block for ever, and says one word.
func readConfig(v voice, collector *nodeconfig.Collector, now time.Time) {
	config, _ := collector.Collect(v.ctx, now)
	v.tell(configRead{config})
}

// knownConfig asks for the node's configuration on behalf of a registration; nil if
// the agent reads none, or if nothing is known in time.
func knownConfig(ctx context.Context, cfg sessionConfig) *messages.NodeConfig {
	if cfg.nodeConfig == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, configWait)
	defer cancel()
	checked, err := actors.Ask[configChecked](ctx, cfg.sys, cfg.nodeConfig, checkConfig{})
	if err != nil {
		return nil
	}
	return checked.config
}
