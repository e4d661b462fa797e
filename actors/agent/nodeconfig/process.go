package nodeconfig

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"fodc/actors/agent/telemetry"

	"github.com/prometheus/procfs"
)

// envPrefix is the prefix of the node's environment variables. Other variables of its process
// are ignored.
const envPrefix = "BYDB_"

// node finds the node's process: as the operator has configured, or else by the listening
// socket of the metrics endpoint.
type node struct {
	finder *telemetry.Finder // nil: the operator has configured nothing
	source string
	socket *socketFinder
}

func newNode(proc string, c Config) *node {
	n := &node{socket: newSocketFinder(proc, c.Endpoints)}
	switch {
	case c.PIDFile != "":
		n.finder, n.source = telemetry.NewFinder(c.PIDFile, c.Process), c.PIDFile
	case c.Process != "":
		n.finder, n.source = telemetry.NewFinder("", c.Process), "name "+c.Process
	}
	return n
}

// find returns the process, and how it was found.
func (n *node) find(fs procfs.FS, now time.Time) (p procfs.Proc, by string, err error) {
	if n.finder != nil {
		p, _, err = n.finder.Find(fs)
		return p, n.source, err
	}
	return n.socket.find(fs, now)
}

// readCommandLine reads the command line of the process.
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

// readEnvironment reads the variables of the process that begin with envPrefix. Only root and
// the process's own user may do that.
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

// started returns the start time of the process in clock ticks since boot, or an error if it
// has ended.
func started(p procfs.Proc) (uint64, error) {
	stat, err := p.Stat()
	if err != nil || stat.State == "Z" || stat.State == "X" {
		return 0, errEnded
	}
	return stat.Starttime, nil
}
