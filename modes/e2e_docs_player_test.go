//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// docPlayer runs the commands of a document in their order, and compares what they print with what it shows.
type docPlayer struct {
	t   *testing.T
	dir string
	env []string
	// into replaces what the document names by what there is here, before a command runs. Back does the opposite with what it prints.
	into, back *strings.Replacer
	ready      string // answers when a server of the document is there
	server     *exec.Cmd
	ran        int
}

// docServer is a command that goes on, in a terminal of its own. The one before was stopped with Ctrl-C.
var docServer = regexp.MustCompile(`^bin/fodc standalone\b`)

// docRetry is for how long a command is repeated until it prints what is shown: a person would look twice.
const docRetry = 40 * time.Second

func (p *docPlayer) play(name string) {
	t := p.t
	text, err := os.ReadFile("../docs/" + name)
	require.NoError(t, err)
	for _, m := range consoles.FindAllStringSubmatch(string(text), -1) {
		for _, one := range strings.Split("\n"+m[1], "\n$ ")[1:] {
			command, shown, _ := strings.Cut(one, "\n")
			p.run(command, shown)
			p.ran++
		}
	}
	require.Positive(t, p.ran, "%s has no commands", name)
}

func (p *docPlayer) run(command, shown string) {
	t := p.t
	command = p.into.Replace(command)
	if docServer.MatchString(command) {
		p.serve(command)
		return
	}
	within(t, docRetry, command, func() error {
		out, err := p.output(command)
		out = p.back.Replace(out)
		if diff := differs(shown, out); diff != "" {
			return fmt.Errorf("%s\nit prints:\n%s\nshown is:\n%s\n%v", diff, out, shown, err)
		}
		if err != nil && strings.TrimSpace(shown) == "" { // What fails shows how.
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// output runs a command, which may leave others behind that go on.
func (p *docPlayer) output(command string) (string, error) {
	t := p.t
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	said, err := os.CreateTemp(t.TempDir(), "said")
	require.NoError(t, err)
	defer said.Close()
	cmd := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", command)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.dir, p.env, said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err = cmd.Start(); err == nil {
		t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		err = cmd.Wait()
	}
	text, readErr := os.ReadFile(said.Name())
	require.NoError(t, readErr)
	return string(text), err
}

func (p *docPlayer) serve(command string) {
	t := p.t
	p.stop()
	cmd := exec.Command("bash", "-c", "exec "+command)
	cmd.Dir, cmd.Env = p.dir, p.env
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = io.Discard, &strings.Builder{}, patience
	require.NoError(t, cmd.Start())
	p.server = cmd
	t.Cleanup(p.stop)
	within(t, patience, command, func() error {
		answer, err := http.Get(p.ready)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", answer.StatusCode)
		}
		return nil
	})
}

// stop is Ctrl-C.
func (p *docPlayer) stop() {
	if p.server == nil {
		return
	}
	server := p.server
	p.server = nil
	_ = server.Process.Signal(syscall.SIGINT)
	require.NoError(p.t, server.Wait(), "%s\n%s", server, server.Stderr)
}

// docVaries is what differs from run to run and from machine to machine, in the order in which it is replaced.
var docVaries = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{anyID, "ID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| [+-]\d\d:\d\d)`), "TIME"},
	{regexp.MustCompile(`\b(v1\.2\.3|devel)`), "VERSION"},
	{regexp.MustCompile(`revision [^,)]+`), "REVISION"},
	{regexp.MustCompile(`-?\d+(\.\d+)*(e[+-]?\d+)?(µs|ms|s\b)?`), "#"},
}

// shape is a line without what varies, and with one blank instead of several.
func shape(line string) string {
	for _, v := range docVaries {
		line = v.pattern.ReplaceAllString(line, v.instead)
	}
	return strings.Join(strings.Fields(line), " ")
}

// differs compares the lines that are shown with those that were printed. A line "..." stands for any lines, those within a line for any text.
func differs(shown, printed string) string {
	lines := func(text string) (all []string) {
		for line := range strings.Lines(text) {
			if line = shape(line); line != "" {
				all = append(all, line)
			}
		}
		return all
	}
	want, got, gap := lines(shown), lines(printed), strings.TrimSpace(shown) == ""
	for _, w := range want {
		if w == "..." {
			gap = true
			continue
		}
		at := 0
		for at < len(got) && !sameShape(w, got[at]) {
			at++
		}
		if at == len(got) || at > 0 && !gap {
			return fmt.Sprintf("there is no line, or another one before it, like %q", w)
		}
		got, gap = got[at+1:], false
	}
	if len(got) > 0 && !gap {
		return fmt.Sprintf("a line that is not shown: %q", got[0])
	}
	return ""
}

func sameShape(want, got string) bool {
	parts := strings.Split(want, "...")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(got)
}

func TestE2EDocsDiffer(t *testing.T) {
	const printed = "a 1  x\nb {\"v\":2.5}\nc\n"
	for _, shown := range []string{"", "...\n", "a 7 x\nb {\"v\":1}\nc\n", "a 1 x\n...\n", "...\nc\n", "a 1 x\nb {...}\nc\n"} {
		require.Empty(t, differs(shown, printed), shown)
	}
	for _, shown := range []string{"a 1 x\n", "a 1 x\nc\n", "b {\"v\":1}\n...\n", "...\nd\n", "a 1 y\n...\n", "c\n...\na 1 x\n"} {
		require.NotEmpty(t, differs(shown, printed), shown)
	}
}

// newDocPlayer returns a player in an empty directory, with the program at both names that documents have for it.
func newDocPlayer(t *testing.T, grpcAddr, httpAddr, agentAddr string) *docPlayer {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
	require.NoError(t, os.Symlink(binary, filepath.Join(dir, "bin", "fodc")))
	host, err := os.Hostname()
	require.NoError(t, err)
	makefile, err := os.ReadFile("../Makefile")
	require.NoError(t, err)
	require.Contains(t, string(makefile), "\texec ./bin/fodc standalone\n", "make run is something else")
	return &docPlayer{t: t, dir: dir, ready: "http://" + httpAddr + "/-/ready",
		into: strings.NewReplacer("localhost:17900", grpcAddr, "17900", portOf(grpcAddr), "17901", portOf(httpAddr), "17902", portOf(agentAddr), "make run", "bin/fodc standalone"),
		back: strings.NewReplacer(host, "vm"),
		env: append(os.Environ(), "TZ=UTC", "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"), "FODC_GRPC_LISTEN_ADDR="+grpcAddr, "FODC_HTTP_LISTEN_ADDR="+httpAddr,
			"FODC_PROMETHEUS_LISTEN_ADDR="+agentAddr, "FODC_QUERY_PROXY_URL=http://"+httpAddr, "FODC_INCIDENTS_PROXY_URL=http://"+httpAddr)}
}
