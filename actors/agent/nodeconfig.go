package agent

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/actors/agent/nodeconfig"
	"fodc/messages"

	"go.uber.org/zap"
)

// configWait bounds how long a registration waits for the node's configuration. If it comes
// later, it is sent with a heartbeat.
const configWait = 2 * configTimeout

// Messages to the actor of the node's configuration.
type (
	// checkConfig is answered with configChecked, within configTimeout.
	checkConfig   struct{}
	configChecked struct {
		// config is nil where nothing is known; the same pointer as before if nothing
		// has changed.
		config *messages.NodeConfig
	}
	// configRead is the result of a read; nil if an earlier read has not returned yet.
	configRead struct{ config *messages.NodeConfig }
)

// nodeConfig keeps the node's configuration. The collector is not replaced when the actor
// restarts, so that a read that hangs is not started a second time.
type nodeConfig struct {
	sys        *actors.System
	log        *zap.Logger
	collector  *nodeconfig.Collector
	state      *nodeConfigState
	requesters []*actors.PID
	// note adds to the timelines of incidents.
	note func(kind, text string)
	// started gets when the node was started with another configuration.
	started *atomic.Pointer[time.Time]

	due, timeout actors.Timer
	ctx          context.Context
	cancel       context.CancelCauseFunc
}

func newNodeConfig(sys *actors.System, collector *nodeconfig.Collector, cfg Config, note func(kind, text string), started *atomic.Pointer[time.Time]) *nodeConfig {
	return &nodeConfig{sys: sys, log: sys.Log(), collector: collector, note: note, started: started, state: newNodeConfigState(cfg.HeartbeatInterval, cfg.NodeOptional)}
}

func (n *nodeConfig) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		n.ctx, n.cancel = context.WithCancelCause(context.Background())
		n.do(c, n.state.due(time.Now()))
	case *actors.Stopping, *actors.Restarting:
		n.due.Disarm()
		n.timeout.Disarm()
		n.cancel(errStopped)
	case *actors.Stopped:
	case checkConfig:
		n.requesters = append(n.requesters, c.Sender())
		n.do(c, n.state.asked(time.Now()))
	case configRead:
		n.timeout.Disarm()
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
	case n.timeout.Fired(m):
		n.do(c, n.state.timedOut(time.Now()))
	}
}

func (n *nodeConfig) do(c actors.Context, effects []nodeConfigEffect) {
	for _, e := range effects {
		switch e := e.(type) {
		case startConfigRead:
			go readConfig(newSender(n.ctx, n.sys, c), n.collector, time.Now())
		case armConfigTimeout:
			n.timeout.Arm(c, e.after)
		case armConfigDue:
			n.due.Arm(c, e.after)
		case answerRequests:
			for _, requester := range n.requesters {
				n.sys.Send(requester, configChecked{n.state.config})
			}
			n.requesters = nil
		case noteConfigChanged:
			n.note("config", configChangedText)
		case showConfigStart:
			n.started.Store(&e.at)
		case logNodeConfig:
			writeEntry(n.log, e.logEntry)
		}
	}
}

// nodeConfigOf returns where the node's configuration is read: of the endpoints that
// are scraped, too.
func nodeConfigOf(cfg Config, client *http.Client) nodeconfig.Config {
	c := *cfg.NodeConfig
	c.Fetch, c.Endpoints = cfg.Fetch, nil
	if c.Fetch == nil {
		fetch := newFetchFunc(client, userAgent(cfg.Version), nodeconfig.MaxCommandLineBytes, cfg.settings().byServer(cfg.Targets))
		c.Fetch = func(ctx context.Context, url string) ([]byte, string, error) { return fetch(ctx, url, nil) }
	}
	for _, t := range cfg.Targets {
		c.Endpoints = append(c.Endpoints, t.URL)
	}
	return c
}

// readConfig reads the configuration once, which may block for ever, and sends the result.
func readConfig(self sender, collector *nodeconfig.Collector, now time.Time) {
	config, _ := collector.Collect(self.ctx, now)
	self.send(configRead{config})
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
