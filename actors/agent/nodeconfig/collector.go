package nodeconfig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"fodc/actors/agent/mask"
	"fodc/actors/agent/telemetry"
	"fodc/messages"

	"github.com/prometheus/procfs"
)

// Config says what is read.
type Config struct {
	// Root is the directory that has proc in it; empty is "/".
	Root string
	// PIDFile and Process say which process is the node, as in package telemetry. With
	// neither, it is the process that listens at one of the Endpoints.
	PIDFile, Process string
	// Endpoints are the URLs of the node's metrics.
	Endpoints []string
	// Files are the node's configuration files. A later one overrides an earlier one.
	Files []string
	// Fetch gets a page within ctx.
	Fetch func(ctx context.Context, url string) (body []byte, contentType string, err error)
}

// Collector reads a node's configuration again and again. If a part cannot be read any more,
// because the node has died, it keeps what it read last, with an error.
type Collector struct {
	busy  atomic.Bool
	proc  string
	node  *node
	pprof *pprof
	files []*file

	startup, environment part
	process              string // that was read, empty: none
	newest               *messages.NodeConfig
}

// part is a part of the configuration, as it was when it could be read last.
type part struct {
	params *params // nil: it was never read
	at     time.Time
	source string
	err    error
	// partial says that params is not all of the part: err says what is missing. Without it,
	// err says why params is not newer.
	partial bool
}

// New returns a collector. Nothing is read yet.
func New(c Config) *Collector {
	if c.Root == "" {
		c.Root = "/"
	}
	proc := filepath.Join(c.Root, "proc")
	collector := &Collector{proc: proc, node: newNode(proc, c), pprof: newPprof(c)}
	for _, name := range c.Files {
		collector.files = append(collector.files, &file{name: name})
	}
	return collector
}

// Collect reads what may have changed and returns the configuration: the same pointer as
// before if nothing has changed. It may hang in a file system, whatever ctx says. While it
// hangs, another call returns false at once.
func (c *Collector) Collect(ctx context.Context, now time.Time) (*messages.NodeConfig, bool) {
	if !c.busy.CompareAndSwap(false, true) {
		return nil, false
	}
	defer c.busy.Store(false)
	config := c.collectSafely(ctx, now)
	if c.newest != nil && config.SameParams(c.newest) {
		config.CollectedAt = c.newest.CollectedAt
	}
	if c.newest == nil || !reflect.DeepEqual(c.newest, config) {
		c.newest = config
	}
	return c.newest, true
}

// collectSafely turns a panic of a parser into an error. It leaves out the panic's text,
// which may have parts of a file in it.
func (c *Collector) collectSafely(ctx context.Context, now time.Time) (config *messages.NodeConfig) {
	defer func() {
		if p := recover(); p != nil {
			failed := messages.NodeConfig{CollectedAt: now}
			if c.newest != nil {
				failed = *c.newest
			}
			failed.Errors = []string{fmt.Sprintf("the configuration cannot be read: unexpected %T", p)}
			config = &failed
		}
	}()
	c.process = ""
	c.readProcess(ctx, now)
	for _, f := range c.files {
		f.read(now)
	}
	return c.assemble(now)
}

func (c *Collector) readProcess(ctx context.Context, now time.Time) {
	p, by, err := c.findProcess(now)
	if err == nil {
		commandLine, err := readCommandLine(p)
		c.startup.record(commandLine, fmt.Sprintf("command line of process %d (%s)", p.PID, by), err, now)
		if err == nil {
			c.process = processID(p)
		}
		if err != nil && c.environment.params != nil { // That of a process that has ended is empty, as its command line is.
			c.environment.err, c.environment.partial = errNoProcess, false
			return
		}
		environment, err := readEnvironment(p)
		c.environment.record(environment, fmt.Sprintf("environment of process %d", p.PID), err, now)
		return
	}
	commandLine, from, askErr := c.pprof.read(ctx, now)
	if askErr != nil {
		err = fmt.Errorf("the node's process: %w; %w", err, askErr)
	} else {
		err = nil
	}
	c.startup.record(commandLine, from, err, now)
	if c.environment.params != nil {
		c.environment.err, c.environment.partial = errNoProcess, false
	}
}

// processID tells a process from those that have its number later, as all first ones of a container have.
func processID(p procfs.Proc) string {
	stat, err := p.Stat()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d since %d", stat.PID, stat.Starttime)
}

var errNoProcess = errors.New("the environment of the node's process cannot be read without the process")

func (c *Collector) findProcess(now time.Time) (procfs.Proc, string, error) {
	fs, err := procfs.NewFS(c.proc)
	if err != nil {
		if unsupported := telemetry.Supported(); unsupported != nil {
			err = unsupported
		}
		return procfs.Proc{}, "", err
	}
	return c.node.find(fs, now)
}

// record notes the result of a read. If found is nil, the read has failed.
func (p *part) record(found *params, source string, err error, now time.Time) {
	p.err, p.partial = err, found != nil && err != nil
	if found != nil {
		p.params, p.at, p.source = found, now, source
	}
}

// problem returns the error of the part as it is shown, "" if there is none.
func (p *part) problem() string {
	switch {
	case p.err == nil:
		return ""
	case p.params == nil, p.partial:
		return p.err.Error()
	default:
		return p.err.Error() + "; shown is what was read last, at " + p.at.UTC().Format(time.RFC3339)
	}
}

func (c *Collector) assemble(now time.Time) *messages.NodeConfig {
	config := &messages.NodeConfig{CollectedAt: now, Process: c.process}
	add := func(p *part) *params {
		if p.params != nil {
			config.Sources = append(config.Sources, note(p.source))
		}
		if problem := p.problem(); problem != "" {
			config.Errors = append(config.Errors, note(problem))
		}
		if p.params == nil {
			return &params{}
		}
		return p.params
	}
	var notes, more []string
	config.StartupParams, notes = section("startup_params", add(&c.startup))
	var runtime []*params
	for _, f := range c.files {
		runtime = append(runtime, add(&f.part))
	}
	runtime = append(runtime, add(&c.environment))
	config.RuntimeConfig, more = section("runtime_config", runtime...)
	config.Errors = append(append(config.Errors, notes...), more...)
	return config
}

// note cuts a source or an error to its limit, and masks it: the name of a file may have a
// secret in it.
func note(text string) string {
	text = mask.Text(text)
	if len(text) > messages.MaxConfigNoteBytes {
		text = text[:messages.MaxConfigNoteBytes-len(cutMark)] + cutMark
	}
	return strings.ToValidUTF8(text, "?")
}

// file is one of the node's configuration files.
type file struct {
	name string
	part
	info os.FileInfo // of the contents that were read; nil: it could not be read
	// stable says that the file was older than mtimeResolution when it was read.
	stable bool
}
