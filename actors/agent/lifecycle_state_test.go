package agent

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"
)

func TestLifecycleScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/lifecycle*.txt", func() actorstest.Script {
		return &lifecycleMachine{state: &lifecycleState{hasPort: true, hasReports: true, ttl: 10 * time.Minute}}
	})
}

type lifecycleMachine struct {
	actorstest.ScriptClock
	state *lifecycleState
}

func (m *lifecycleMachine) Do(command string, args []string) string {
	switch command {
	case "only": // only port|reports
		m.state = &lifecycleState{hasPort: args[0] == "port", hasReports: args[0] == "reports", ttl: time.Minute}
		return ""
	case "optional":
		m.state.isOptional = true
		return ""
	case "asked":
		return m.effects(m.state.ask())
	case "inspected": // inspected NAME|error=TEXT
		text, failed := strings.CutPrefix(args[0], "error=")
		if failed {
			return m.effects(m.state.inspected(lifecycleGroups{groupsErr: errors.New(text)}, text == "refused"))
		}
		return m.effects(m.state.inspected(lifecycleGroups{groups: []messages.LifecycleGroup{{Name: text}}}, false))
	case "read": // read NAME [error=TEXT]
		r := lifecycleReports{reports: []messages.LifecycleReport{{Filename: args[0]}}}
		if len(args) > 1 {
			r.reportsErr = errors.New(strings.TrimPrefix(args[1], "error="))
		}
		return m.effects(m.state.read(r, m.Now()))
	case "timed-out":
		return m.effects(m.state.readTimedOut(errors.New("hangs"), m.Now()))
	case "forget":
		m.state.forget()
		return ""
	default:
		return "unknown command " + command
	}
}

func (m *lifecycleMachine) effects(effects []lifecycleEffect) string {
	var b strings.Builder
	for _, e := range effects {
		switch e := e.(type) {
		case startInspect:
			b.WriteString("inspect")
		case startReports:
			b.WriteString("read")
		case armReports:
			fmt.Fprintf(&b, "reports within %s", e.after)
		case armForget:
			fmt.Fprintf(&b, "forget in %s", e.after)
		case answerLifecycle:
			b.WriteString("answer groups")
			for _, g := range e.groups {
				b.WriteString(" " + g.Name)
			}
			fmt.Fprintf(&b, " (%v), reports", e.groupsErr)
			for _, r := range e.reports {
				b.WriteString(" " + r.Filename)
			}
			fmt.Fprintf(&b, " (%v)", e.reportsErr)
		case logLifecycle:
			fmt.Fprintf(&b, "log warn=%t %q %q lasted %s times %d", e.warn, e.text, e.cause, e.lasted, e.times)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
