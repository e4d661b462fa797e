package agent

import (
	"context"
	"net"
	"time"

	"fodc/messages"
)

const (
	// checkTimeout bounds each step of a check.
	checkTimeout = 10 * time.Second
	// maxCheckedAddresses bounds the addresses of a name that are tried.
	maxCheckedAddresses = 8
)

// Check is what is tried of one proxy, step by step, as an agent connects. Nothing is registered.
type Check struct {
	// Address is host:port.
	Address      string
	Security     LinkSecurity
	Registration messages.Registration
	// Lookup and Dial are those of the system if they are nil.
	Lookup func(ctx context.Context, host string) ([]string, error)
	Dial   func(ctx context.Context, address string) (net.Conn, error)
}

// CheckResult is what became of a step.
type CheckResult int

// The results. After a failure no further step is tried.
const (
	CheckPassed CheckResult = iota
	CheckSkipped
	CheckWarned
	CheckFailed
)

// CheckStep is a step that was tried.
type CheckStep struct {
	Name   string
	Result CheckResult
	// Text is one line. It may have texts of the proxy.
	Text string
	// Next is what to look at after a failure; empty: the text says it.
	Next string
}

// checking is a check under way.
type checking struct {
	Check
	report func(CheckStep)
	failed bool
	dialed string // the address that has answered
	local  string // where that connection comes from
}

// Run tries the steps and reports each one. It returns false if one has failed. It takes at most a minute.
func (c Check) Run(ctx context.Context, report func(CheckStep)) bool {
	k := &checking{Check: c, report: report}
	if k.Lookup == nil {
		k.Lookup = net.DefaultResolver.LookupHost
	}
	if k.Dial == nil {
		k.Dial = dialTCP
	}
	addresses := k.resolve(ctx)
	if k.failed {
		return false
	}
	raw := k.connect(ctx, addresses)
	if k.failed {
		return false
	}
	k.speak(ctx, raw)
	_ = raw.Close()
	if !k.failed {
		k.register(ctx)
	}
	return !k.failed
}

func (k *checking) say(name string, result CheckResult, text string) {
	k.report(CheckStep{Name: name, Result: result, Text: text})
}

func (k *checking) fail(name, text, next string) {
	k.failed = true
	k.report(CheckStep{Name: name, Result: CheckFailed, Text: text, Next: next})
}
