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
	// PIDFile and Process lead to the node's process, as they do in telemetry. With
	// neither, the process that listens at one of the Endpoints is the node.
	PIDFile, Process string
	// Endpoints are the URLs of the node's metrics.
	Endpoints []string
	// Files are the node's configuration files; the later ones go over the earlier.
	Files []string
	// Fetch gets a page within ctx.
	Fetch func(ctx context.Context, url string) (body []byte, contentType string, err error)
}

// Collector reads a node's configuration again and again. What cannot be read any more
// is kept as it was read last, and told: a node that has died is what an agent is for.
type Collector struct {
	busy  atomic.Bool
	proc  string
	node  *node
	pprof *pprof
	files []*file

	startup, environment kept
	newest               *messages.NodeConfig
}

// kept is what a part of the configuration was when it could be read.
type kept struct {
	params *params // nil: it was never read
	at     time.Time
	source string
	err    error
	// partly says that err is about what is shown, and not why nothing newer is.
	partly bool
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

// Collect reads what may have changed, and returns the configuration: the same pointer
// as before if nothing has. It may block for as long as a file system does, and longer
// than ctx; while it does, another call returns false at once.
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

// collectSafely takes a panic of a parser for an error: the agent has more to do. What
// the panic says may be of a file.
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
		c.startup.took(commandLine, fmt.Sprintf("command line of process %d (%s)", p.PID, by), err, now)
		environment, err := readEnvironment(p)
		c.environment.took(environment, fmt.Sprintf("environment of process %d", p.PID), err, now)
		return
	}
	commandLine, from, askErr := c.pprof.read(ctx, now)
	if askErr != nil {
		err = fmt.Errorf("the node's process: %w; %w", err, askErr)
	} else {
		err = nil
	}
	c.startup.took(commandLine, from, err, now)
	if c.environment.params != nil {
		c.environment.err, c.environment.partly = errNoProcess, false
	}
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

// took takes note of a read. Without parameters it has failed.
func (k *kept) took(p *params, source string, err error, now time.Time) {
	k.err, k.partly = err, p != nil && err != nil
	if p != nil {
		k.params, k.at, k.source = p, now, source
	}
}

// problem returns what is wrong with a part, "" if nothing is.
func (k *kept) problem() string {
	switch {
	case k.err == nil:
		return ""
	case k.params == nil, k.partly:
		return k.err.Error()
	default:
		return k.err.Error() + "; shown is what was read last, at " + k.at.UTC().Format(time.RFC3339)
	}
}

func (c *Collector) assemble(now time.Time) *messages.NodeConfig {
	config := &messages.NodeConfig{CollectedAt: now}
	add := func(k *kept) *params {
		if k.params != nil {
			config.Sources = append(config.Sources, note(k.source))
		}
		if problem := k.problem(); problem != "" {
			config.Errors = append(config.Errors, note(problem))
		}
		if k.params == nil {
			return &params{}
		}
		return k.params
	}
	var notes, more []string
	config.StartupParams, notes = section("startup_params", add(&c.startup))
	var runtime []*params
	for _, f := range c.files {
		runtime = append(runtime, add(&f.kept))
	}
	runtime = append(runtime, add(&c.environment))
	config.RuntimeConfig, more = section("runtime_config", runtime...)
	config.Errors = append(append(config.Errors, notes...), more...)
	return config
}

// note returns the text within the limit of sources and errors, without secrets: the name
// of a file may have one.
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
	kept
	info os.FileInfo // of the contents that were read; nil: it could not be read
	// settled says that the file was not younger than its time can tell.
	settled bool
}
