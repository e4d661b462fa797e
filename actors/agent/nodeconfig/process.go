package nodeconfig

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"fodc/actors/agent/telemetry"

	"github.com/prometheus/procfs"
)

// envPrefix begins the names of the node's own environment variables. Others of its
// process are not looked at.
const envPrefix = "BYDB_"

// node finds the node's process by what the operator says of it, or else by who
// listens where its metrics are.
type node struct {
	finder *telemetry.Finder // nil: nothing is said
	said   string
	socket *socketFinder
}

func newNode(proc string, c Config) *node {
	n := &node{socket: newSocketFinder(proc, c.Endpoints)}
	switch {
	case c.PIDFile != "":
		n.finder, n.said = telemetry.NewFinder(c.PIDFile, c.Process), c.PIDFile
	case c.Process != "":
		n.finder, n.said = telemetry.NewFinder("", c.Process), "name "+c.Process
	}
	return n
}

// find returns the process and how it was found.
func (n *node) find(fs procfs.FS, now time.Time) (p procfs.Proc, by string, err error) {
	if n.finder != nil {
		p, _, err = n.finder.Find(fs)
		return p, n.said, err
	}
	return n.socket.find(fs, now)
}

// readCommandLine reads what the process was started with.
func readCommandLine(p procfs.Proc) (*params, error) {
	args, err := p.CmdLine()
	if err != nil {
		return nil, fmt.Errorf("command line of process %d: %w", p.PID, err)
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("process %d has no command line", p.PID)
	}
	return parseCommandLine(args), nil
}

// readEnvironment reads what is the node's of the process's environment. Only the
// process's own user may, and root.
func readEnvironment(p procfs.Proc) (*params, error) {
	environ, err := p.Environ()
	if err != nil {
		return nil, fmt.Errorf("environment of process %d: %w", p.PID, err)
	}
	return parseEnvironment(environ), nil
}

func parseEnvironment(environ []string) *params {
	found := &params{}
	for _, variable := range environ {
		if name, value, ok := strings.Cut(variable, "="); ok && strings.HasPrefix(name, envPrefix) {
			found.text(name, name, value)
		}
	}
	return found
}

var errEnded = errors.New("it has ended")

// started returns when the process started, in ticks since the host did, unless it has
// ended.
func started(p procfs.Proc) (uint64, error) {
	stat, err := p.Stat()
	if err != nil || stat.State == "Z" || stat.State == "X" {
		return 0, errEnded
	}
	return stat.Starttime, nil
}
