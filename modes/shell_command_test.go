package modes

import (
	"os/exec"
	"strings"
	"testing"

	"fodc/modes/clidoc"

	"github.com/stretchr/testify/require"
)

// eachFlag calls f for every flag of every command.
func eachFlag(c clidoc.Command, place string, f func(place string, flag clidoc.Flag)) {
	for _, flag := range c.Flags {
		f(place, flag)
	}
	for _, sub := range c.Commands {
		eachFlag(sub, place+" "+sub.Name, f)
	}
}

func TestManualPage(t *testing.T) {
	o := run(t, nil, nil, "man")
	require.Equal(t, exitClean, o.code, o.stderr)
	seen := 0
	eachFlag(describedProgram(), programName, func(place string, flag clidoc.Flag) {
		seen++
		require.Contains(t, o.stdout, "\n.B \\-\\-"+strings.ReplaceAll(flag.Name, "-", `\-`), place)
		require.NotContains(t, flag.Usage, "\n")
	})
	require.Greater(t, seen, 300)
	for _, cmd := range []command{agentCommand(Runners{}), proxyCommand(Runners{}), standaloneCommand(Runners{})} {
		require.Contains(t, o.stdout, "\n.SS \"fodc "+cmd.name+" [FLAGS]\"\n")
		for _, option := range cmd.options {
			require.Contains(t, o.stdout, option.envVar())
		}
	}
	for _, place := range []string{"fodc check rules FILE... [FLAGS]", "fodc check config agent [FLAGS]", "fodc query EXPR [FLAGS]", "fodc completion bash [FLAGS]", "fodc healthcheck COMMAND [FLAGS]"} {
		require.Contains(t, o.stdout, "\n.SS \""+place+"\"\n")
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("there is no groff")
	}
	cmd := exec.CommandContext(t.Context(), groff, "-man", "-Tutf8", "-Kutf8", "-ww", "-z")
	cmd.Stdin = strings.NewReader(o.stdout)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err)
	require.Empty(t, string(out))
}

func TestCompletions(t *testing.T) {
	for _, shell := range []string{"bash", "fish", "zsh"} {
		o := run(t, nil, nil, "completion", shell)
		require.Equal(t, exitClean, o.code, o.stderr)
		eachFlag(describedProgram(), programName, func(place string, flag clidoc.Flag) { require.Contains(t, o.stdout, flag.Name, place) })
	}
	wrong(t, run(t, nil, nil, "completion", "tcsh"), `fodc completion: unknown command "tcsh": must be bash, fish or zsh`)
	wrong(t, run(t, nil, nil, "completion"), "a command is missing")
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	script := run(t, nil, nil, "completion", "bash").stdout
	f := func(want string, words ...string) {
		t.Helper()
		line := "COMP_WORDS=(fodc '" + strings.Join(words, "' '") + "'); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _fodc; echo \"${COMPREPLY[*]}\""
		out, err := exec.CommandContext(t.Context(), bash, "--norc", "--noprofile", "-c", script+line).CombinedOutput()
		require.NoError(t, err, string(out))
		require.Equal(t, want, strings.TrimSpace(string(out)), words)
	}
	f("agent", "ag")
	f("--node-id --node-ip", "agent", "--node-i")
	f("--config", "check", "config", "proxy", "--conf")
	f("info", "agent", "--log-level", "i")
	f("off", "standalone", "--kernel-telemetry", "=", "o")
	f("agent proxy standalone", "check", "config", "")
	f("rules", "check", "r")
	f("--timeout", "healthcheck", "agent", "--time")
}
