package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"fodc/actors/agent/mask"
	"fodc/actors/agent/telemetry"
	"fodc/messages"

	"github.com/prometheus/procfs"
)

const (
	maxProcessBytes = 4 << 20
	processTimeout  = 10 * time.Second
	// maxProcFile bounds what is taken of a file of the kernel.
	maxProcFile = 64 << 10
)

// nodeProcess is the node's process. The first step that needs it looks for it.
type nodeProcess struct {
	cfg  *Config
	turn Turn

	found bool
	pid   int
	by    string
	err   error
}

func (c *Config) processSteps() []Step {
	var steps []Step
	step := func(name string, run func(ctx context.Context, w *textWriter) error) {
		steps = append(steps, Step{What: messages.EvidenceProcess, Path: "process/" + name + ".txt", Limit: maxProcessBytes, Timeout: processTimeout, Parts: true,
			Run: func(ctx context.Context, w io.Writer) error {
				if err := (telemetry.Config{Root: c.Root}).Supported(); err != nil {
					return err
				}
				t := newTextWriter(w)
				err := run(ctx, t)
				return errors.Join(t.flush(), err)
			}})
	}
	if c.Process != nil {
		p := &nodeProcess{cfg: c, turn: NewTurn()}
		step("status", p.with(writeStatus))
		step("threads", p.with(writeThreads))
		step("cgroup", p.with(c.writeGroups))
		step("files", p.with(writeOpenFiles))
		steps[len(steps)-1].Stays = true // Files that are not closed are still open then.
	}
	ofProcess := len(steps)
	if c.Process != nil || len(c.DataDirs) > 0 {
		step("host", func(_ context.Context, t *textWriter) error {
			return writeFiles(t, c.path("proc"), "loadavg", "meminfo", "pressure/cpu", "pressure/memory", "pressure/io", "vmstat", "sys/fs/file-nr")
		})
	}
	for i, dir := range c.DataDirs {
		name := "space"
		if i > 0 {
			name = fmt.Sprintf("space-%d", i+1)
		}
		step(name, func(_ context.Context, t *textWriter) error { return c.writeSpace(t, dir) })
	}
	for i := range steps[ofProcess:] {
		steps[ofProcess+i].Stays = true // What it was at the moment is among the metrics.
	}
	return steps
}

// path returns the path of a directory below Root.
func (c *Config) path(dir string) string {
	if c.Root == "" {
		return "/" + dir
	}
	return filepath.Join(c.Root, dir)
}

// with returns what a step does with the directory of the process.
func (p *nodeProcess) with(write func(ctx context.Context, t *textWriter, dir string) error) func(context.Context, *textWriter) error {
	return func(ctx context.Context, t *textWriter) error {
		pid, by, err := p.find(ctx)
		if err != nil {
			return fmt.Errorf("the node's process: %w", err)
		}
		t.note("# process %d (%s), %s", pid, shown(by), time.Now().UTC().Format(time.RFC3339Nano))
		return write(ctx, t, filepath.Join(p.cfg.path("proc"), strconv.Itoa(pid)))
	}
}

func (p *nodeProcess) find(ctx context.Context) (int, string, error) {
	if err := p.turn.Take(ctx); err != nil {
		return 0, "", errors.New("the kernel does not answer")
	}
	defer p.turn.Give()
	if !p.found {
		p.pid, p.by, p.err = p.cfg.Process(time.Now())
		p.found = true
	}
	return p.pid, p.by, p.err
}

func writeStatus(_ context.Context, t *textWriter, dir string) error {
	return writeFiles(t, dir, "status", "limits", "stat", "statm", "io", "sched", "schedstat", "oom_score", "oom_score_adj", "wchan", "cgroup", "stack")
}

// writeFiles writes files of the kernel with their names. Those that cannot be read are named with their reason; if none
// can, it is an error.
func writeFiles(t *textWriter, dir string, names ...string) error {
	var first error
	read := 0
	for _, name := range names {
		t.note("\n== %s ==", name)
		text, err := readFile(filepath.Join(dir, name))
		if err != nil {
			t.note("%s", mask.Text(reason(err)))
			if first == nil {
				first = err
			}
			continue
		}
		t.lines = mask.Lines{} // A secret of one file goes on in no other one.
		for line := range strings.Lines(text) {
			t.line(strings.TrimSuffix(line, "\n"))
		}
		if err := t.flush(); err != nil { // What is known, if the next one hangs.
			return err
		}
		read++
	}
	if read > 0 {
		return nil
	}
	return first
}

// reason returns an error of a file without its name.
func reason(err error) string {
	var of *os.PathError
	if errors.As(err, &of) {
		return "(" + of.Err.Error() + ")"
	}
	return "(" + err.Error() + ")"
}

// writeGroups writes what the control groups of the process say.
func (c *Config) writeGroups(_ context.Context, t *textWriter, dir string) error {
	fs, err := procfs.NewFS(c.path("proc"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(filepath.Base(dir))
	if err != nil {
		return err
	}
	p, err := fs.Proc(pid)
	if err != nil {
		return err
	}
	groups, err := telemetry.Groups(fs, c.path("sys"), p)
	if err != nil {
		return err
	}
	for _, g := range groups {
		t.note("\n# %s", printable(mask.Text(g)))
		files, _ := os.ReadDir(g)
		for _, pattern := range []string{"memory.*", "cpu.*", "cpuacct.usage", "io.*", "pids.*", "cgroup.events", "cgroup.stat"} {
			for _, file := range files {
				if of, _ := path.Match(pattern, file.Name()); !of {
					continue
				}
				if info, err := file.Info(); err != nil || !info.Mode().IsRegular() || info.Mode()&0o444 == 0 {
					continue // It is there to be written.
				}
				_ = writeFiles(t, g, file.Name()) // A reason is in the text.
			}
		}
	}
	return nil
}

// writeSpace writes what the file system of a directory of data has free. It hangs while that does not answer.
func (c *Config) writeSpace(t *textWriter, dir string) error {
	t.note("directory: %s", printable(mask.Text(dir)))
	if fs, err := procfs.NewFS(c.path("proc")); err == nil {
		if self, err := fs.Self(); err == nil {
			if m, err := telemetry.MountOf(self, dir); err == nil {
				t.note("device: %s\nfile system: %s\nmounted at: %s", printable(mask.Text(m.Device)), m.FSType, printable(mask.Text(m.Point)))
			}
		}
	}
	if err := t.flush(); err != nil { // What is known, if the rest hangs.
		return err
	}
	space, err := telemetry.SpaceOf(dir)
	if err != nil {
		return fmt.Errorf("the space of %s: %w", dir, err)
	}
	t.note("size: %d bytes\nfree: %d bytes\navailable: %d bytes (%.1f %%)\ninodes: %d\ninodes free: %d\nread-only: %t", space.Size, space.Free,
		space.Available, 100*float64(space.Available)/float64(max(space.Size, 1)), space.Files, space.FilesFree, space.ReadOnly)
	return nil
}
