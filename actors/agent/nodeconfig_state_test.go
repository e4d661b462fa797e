package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"
)

func TestNodeConfigScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/nodeconfig*.txt", func() actorstest.Script {
		return &nodeConfigMachine{state: newNodeConfigState(10*time.Second, false)}
	})
}

type nodeConfigMachine struct {
	actorstest.ScriptClock
	state *nodeConfigState
}

func (m *nodeConfigMachine) Do(command string, args []string) string {
	switch command {
	case "optional": // there needs to be no node
		m.state.optional = true
		return ""
	case "due":
		return m.effects(m.state.due(m.Now()))
	case "asked":
		return m.effects(m.state.asked(m.Now()))
	case "timed-out":
		return m.effects(m.state.timedOut(m.Now()))
	case "returned": // returned VALUE [error=TEXT] [process=TEXT]: of the one parameter; nothing: a former read has not returned
		if args[0] == "nothing" {
			return m.effects(m.state.returned(nil, m.Now()))
		}
		c := &messages.NodeConfig{CollectedAt: m.Now()}
		if args[0] != "absent" { // no node was found
			c.StartupParams = []messages.ConfigParam{{Key: "p", Value: args[0]}}
		}
		for _, arg := range args[1:] {
			switch key, value, _ := strings.Cut(arg, "="); key {
			case "error":
				c.Errors = []string{value}
			case "process":
				c.Process = value
			}
		}
		return m.effects(m.state.returned(c, m.Now()))
	default:
		return "unknown command " + command
	}
}

func (m *nodeConfigMachine) effects(effects []nodeConfigEffect) string {
	var b strings.Builder
	for _, e := range effects {
		switch e := e.(type) {
		case startConfigRead:
			b.WriteString("read")
		case armConfigTimeout:
			fmt.Fprintf(&b, "timeout in %s", e.after)
		case armConfigDue:
			fmt.Fprintf(&b, "again in %s", e.after)
		case answerRequests:
			b.WriteString("answer ")
			if c := m.state.config; c == nil {
				b.WriteString("nothing")
			} else {
				fmt.Fprintf(&b, "%v %q", c.StartupParams, c.Errors)
			}
		case noteConfigChanged:
			b.WriteString("note the change")
		case showConfigStart:
			b.WriteString("show that it was started with another one")
		case logNodeConfig:
			fmt.Fprintf(&b, "log warn=%t %q %q lasted %s times %d", e.warn, e.text, e.cause, e.lasted, e.times)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
