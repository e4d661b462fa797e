package simulation

import (
	"context"
	"net"
	"strconv"
	"sync"
	"time"

	"fodc/actors/agent"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal/journaltest"
)

// process is a run of an agent.
type process struct {
	w       *world
	node    *node
	host    *host
	number  int
	agent   stopper
	leaving bool // the world's lock guards it
	dead    bool // the network's lock guards it

	// disk is where it keeps its journal; nil: nowhere.
	disk *journaltest.Disk
	// ended is when it was killed, or began to leave; zero: it runs. The world's lock guards it.
	ended time.Time

	mu      sync.Mutex
	scrapes []scrape
	dials   map[string]int // under way, by address
}

// stopper is an agent, of today or of the baseline.
type stopper interface {
	Stop(ctx context.Context) error
}

func (p *process) label() string { return strconv.Itoa(p.number) }

func (w *world) start(n *node, at *host) {
	w.net.change(func() { at.off, at.second.off = false, false })
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &process{w: w, node: n, host: at, number: len(w.started) + 1, dials: map[string]int{}}
	w.started = append(w.started, p)
	if at == n.home {
		n.processes = append(n.processes, p)
		n.notSingle = time.Now()
	} else {
		n.impostor = p
	}
	if n.baseline {
		p.agent = startBaseline(p)
		return
	}
	addrs := []string{mainAddr}
	if w.second != nil && at == n.home {
		addrs = append(addrs, secondAddr)
	}
	p.agent = agent.Start(w.sys, agent.Config{
		Registration: messages.Registration{NodeID: n.id, Role: n.role, PodName: "pod-" + n.id,
			Primary: messages.Address{Port: 17912}},
		ProxyAddrs: addrs, Targets: []agent.Target{{URL: "http://node/metrics"}},
		ScrapeInterval: scrapeInterval, HeartbeatInterval: heartbeatInterval, ReconnectInterval: reconnectInterval,
		MemoryBudget: 16 << 20, Sources: p.sources(), Journal: p.journal(), Version: "simulated", Dial: p.dial, Fetch: p.fetch,
		Process: noReadings, Load: noLoad,
	})
}

// The files of the kernel are not part of the world: to read them takes as much time as
// all that an agent does besides.
func noReadings() []recorder.Sample { return nil }

func noLoad() float64 { return 0 }

// dial is the agent's function to open connections. A process has one connection to a proxy at
// a time; one that the other end has closed does not count, while it is closed at this
// end too.
func (p *process) dial(ctx context.Context, address string) (net.Conn, error) {
	network := p.w.net
	if address == secondAddr {
		network = p.w.secondNet
	}
	p.mu.Lock()
	p.dials[address]++
	others := p.dials[address] - 1 + network.alive(p)
	p.mu.Unlock()
	if others > 0 {
		p.w.fail("process %d of %s opens a connection to %s while it has %d", p.number, p.node.id, address, others)
	}
	c, err := network.dial(ctx, p)
	p.mu.Lock()
	p.dials[address]--
	p.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c, nil
}
