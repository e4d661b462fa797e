//go:build bench && linux

package proxybench

import (
	"context"
	"fmt"
	"os"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// idleAgents are so many that what a process takes once is little beside them.
	idleAgents = 1000
	// idleWait is five heartbeats long.
	idleWait = 26 * time.Second
)

// idler is a process whose agents are not asked.
type idler struct {
	*process
	name  string
	empty float64 // bytes before they came
}

// each is what an agent takes, in KiB.
func (i idler) each() float64 { return (i.memory("VmRSS") - i.empty) / idleAgents / 1024 }

// Memory of agents that connect, and then do nothing but beat.
func TestBenchProxyIdle(t *testing.T) {
	skipUnless(t, "idle")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var idlers []idler
	var connected []float64
	for _, kind := range []struct {
		name  string
		start func(*testing.T) *process
		own   bool
	}{{"floor", startFloor, false}, {"baseline", startProxy, false}, {"own", startProxy, true}} {
		p := kind.start(t)
		defer p.stop()
		i := idler{p, kind.name, p.memory("VmRSS")}
		load{agents: idleAgents, own: kind.own}.connect(ctx, t, p)
		idlers, connected = append(idlers, i), append(connected, i.each())
	}
	select {
	case <-time.After(idleWait):
	case <-ctx.Done():
	}
	fmt.Printf("\n%d idle agents, each on a connection of its own\n", idleAgents)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "KiB/agent\tconnected\tx floor\tafter %v\tx floor\t\n", idleWait)
	floor := idlers[0].each()
	for n, i := range idlers {
		idle := i.each()
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.0f\t%.2f\t\n", i.name, connected[n], connected[n]/connected[0], idle, idle/floor)
	}
	require.NoError(t, w.Flush())
}
