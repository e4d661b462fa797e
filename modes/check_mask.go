package modes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fodc/actors/agent/capture"
	"fodc/actors/agent/mask"
	"fodc/actors/agent/nodeconfig"
	"fodc/modes/logsink"
)

// CheckMaskConfig is what fodc check mask is asked for.
type CheckMaskConfig struct {
	// Files are names of files; "-" is Stdin.
	Files []string
	// Stdin; nil: that of the process.
	Stdin io.Reader
}

// stdinName stands for the standard input in the place of the name of a file.
const stdinName = "-"

// configExtensions are those of the files that are shown as an agent sends a configuration of its node.
var configExtensions = []string{".yml", ".yaml", ".json", ".toml", ".properties", ".env"}

// checkMaskTool is fodc check mask.
func checkMaskTool(run Runners) tool {
	return tool{parent: checkCommandName, name: "mask", usage: "prints what an agent would send of files, with secrets masked",
		description: checkDescription + "\nA FILE that ends in " + oneOf(configExtensions) + " is read as a configuration of the node (--node-config-file),\n" +
			"every other one as a log or another text. - is the standard input, a text.",
		operand: operand{name: "FILE...", what: "one or more files, or - for the standard input", must: "must be the name of a file, or -"},
		runAll: func(ctx context.Context, files []string, stdout, stderr io.Writer) error {
			return run.CheckMask(ctx, CheckMaskConfig{Files: files}, stdout, stderr)
		}}
}

// RunCheckMask prints what an agent would send of the files, and how many values are masked on stderr. The error says that some
// could not be read as a whole; why is on stderr.
func RunCheckMask(ctx context.Context, c CheckMaskConfig, stdout, stderr io.Writer) error {
	out := logsink.NewWriter(stdout)
	failed := 0
	for _, name := range c.Files {
		if len(c.Files) > 1 {
			fmt.Fprintf(out, "==> %s <==\n", logsink.Printable(name))
		}
		said, err := c.checkMask(ctx, name, out)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if out.Err() != nil {
			return out.Err()
		}
		if err != nil {
			failed++
			fmt.Fprintln(stderr, logsink.Printable(name+": "+mask.Text(err.Error())))
		}
		if said != "" {
			fmt.Fprintln(stderr, logsink.Printable(name+": "+said))
		}
	}
	if failed > 0 {
		return fmt.Errorf("not all can be sent of %d of %d files", failed, len(c.Files))
	}
	return nil
}

// checkMask prints one file, and says how much of it is masked.
func (c CheckMaskConfig) checkMask(ctx context.Context, name string, out io.Writer) (said string, err error) {
	if slices.Contains(configExtensions, strings.ToLower(filepath.Ext(name))) {
		return checkMaskConfig(name, out)
	}
	type result struct {
		said string
		err  error
	}
	done := make(chan result, 1)
	go func() { // A pipe may never end, nor even open.
		said, err := c.checkMaskText(name, out)
		done <- result{said, err}
	}()
	select {
	case r := <-done:
		return r.said, r.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// checkMaskText prints a text as it is in an incident.
func (c CheckMaskConfig) checkMaskText(name string, out io.Writer) (said string, err error) {
	from := c.Stdin
	switch {
	case name != stdinName:
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }() // Nothing was written.
		from = f
	case from == nil:
		from = os.Stdin
	}
	lines, masked, err := capture.MaskText(out, from)
	if err != nil && lines == 0 {
		return "", err
	}
	return fmt.Sprintf("%d masked in %s", masked, counted(lines, "line")), err
}

// checkMaskConfig prints a file as it is in /cluster/config.
func checkMaskConfig(name string, out io.Writer) (said string, err error) {
	shown, problems := nodeconfig.Preview(name)
	masked := 0
	for _, p := range shown {
		if strings.Contains(p.Key+p.Value, mask.Mark) {
			masked++
		}
		fmt.Fprintf(out, "%s: %s\n", p.Key, p.Value)
	}
	if len(problems) > 0 {
		err = errors.New(strings.TrimPrefix(strings.Join(problems, "; "), name+": "))
		if len(shown) == 0 {
			return "", err
		}
	}
	return fmt.Sprintf("%d of %s masked", masked, counted(len(shown), "value")), err
}
