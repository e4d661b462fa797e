package modes

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:generate go test -run ^TestDocs(API|Configuration|Schemas)$ -update .

// updating reports whether to rewrite the generated parts of docs/. The flag -update is that
// of actorstest.
func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

const configurationIntro = `# Configuration

<!-- Generated from the flags by make docs. Change those, or modes/docs_configuration_test.go, and not this file. -->

All settings are flags. Each flag has an environment variable, too: ` + "`FODC_`" + ` and the name of the flag in capitals, with ` + "`_`" + `
instead of ` + "`-`" + `. And each is a key of the [configuration file](#the-configuration-file).

- A flag overrides its variable, the variable overrides the file, and the file overrides the default. An empty variable counts as absent.
- If a flag may be given several times, the values in its variable are separated by white space.
- Durations are written as ` + "`500ms`, `10s` or `1m30s`" + `. Those of ` + "`--storage-*` may have days, weeks and years, too: `3d`, `2w`" + `.

Recipes for certificates, passwords and tokens are in [security.md](security.md).

` + "`GOGC` and `GOMEMLIMIT`" + ` have the same meaning as for every Go program. Without ` + "`GOGC`" + `, an agent runs with 25 %, and
` + "`fodc proxy`" + ` with 100 %, or with 10 % if nobody has asked it for metrics for five minutes. Without ` + "`GOMEMLIMIT`" + `,
` + "`fodc proxy`" + ` collects garbage more often when it comes near 90 % of its memory limit. While ` + "`fodc agent`" + ` captures the
evidence of an incident to disk, it may have 2 MiB more of garbage.

An invalid value ends the program with exit code 2. One line on stderr names the flag or the variable, the value, and what
is allowed:

`

const configFileText = `
## The configuration file

` + "`--config FILE`" + ` of ` + "`fodc agent`, `fodc proxy` and `fodc standalone`" + ` reads settings from a file in YAML. Its keys are the names of the
flags, without the dashes. [deploy/config/agent.yaml](../deploy/config/agent.yaml) and
[deploy/config/proxy.yaml](../deploy/config/proxy.yaml) are examples:

    node-id: data-0
    node-role: datanode-hot
    node-labels:                  # a mapping, or zone=a,disk=nvme as for the flag; so is secondary-address
      zone: a
      disk: nvme
    proxy-addr:                   # a list, where a flag may be given several times
      - proxy-a.example:17900
      - proxy-b.example:17900
    poll-metrics-interval: 10s
    host-telemetry: false

- What a flag or a variable sets is not taken from the file. That counts for whole lists: they are not joined.
- An empty text (` + "`storage-dir: \"\"`" + `) is a value. A key without a value is an error.
- Numbers, ` + "`true` and `false`" + ` are written without quotes.
- Unknown keys, keys that are there twice, aliases, anchors, tags and a second document are errors. So is a file of more than 256 KiB,
  or one that is not in UTF-8.
- The file is read once, at the start. It may name files, which are then read again as described with their flags. What these names begin with
  is the working directory, as for flags.

An error names the file, the line, the key and the value, with secrets masked. The program ends with exit code 2, as for wrong flags:

    $ fodc proxy --config proxy.yaml
    fodc proxy: proxy.yaml:7: collect-timeout "1m": must be less than --http-write-timeout, which is 10s

` + "`fodc check config proxy --config proxy.yaml`" + ` lists all problems, and says which settings a flag or a variable overrides.
` + "`fodc check proxy`" + ` and ` + "`fodc healthcheck`" + ` take the same file. The examples name JSON schemas for editors, which stand
beside them, in their first line.
`

const checking = `
## Before a start

` + "`fodc check config agent`, `fodc check config proxy` and `fodc check config standalone`" + ` take the flags and the variables of the mode, and
read all files that they name. They say what the mode would do: what it scrapes and with which authentication, which proxies it
connects to, who may connect and ask, and when certificates expire. All problems are listed, a line each, with the flag, the file,
the reason and what to look at next. Nothing is started, made, locked or connected to, and no secret is shown. The exit code is 1 if
there are problems, in the file of ` + "`--config`" + `, too, and 2 for wrong flags. Warnings do not change it: a certificate that expires within a week, a key or token
that all users of the machine can read, tokens without TLS, HTTP that is open.

` + "`fodc check proxy ADDRESS`" + ` connects to the gRPC server of a proxy as an agent does. It takes the flags of ` + "`fodc agent`" + ` that say who the node
is (` + "`--node-id`, `--node-role`, `--pod-name`" + ` and so on) and how connections to proxies are secured (` + "`--proxy-tls`, `--proxy-*-file`" + ` and
so on), their variables, and ` + "`--config`" + `. Each step is a line: the name, the connection, TLS with the proxy's certificate, the agent's own
certificate, HTTP/2, and the registration. After the first failure, which says what to look at, the exit code is 1:

    $ fodc check proxy proxy.example:17900 --proxy-tls --proxy-ca-file ca.crt --node-id data-0
    ok       DNS: "proxy.example" is 10.0.0.5
    ok       TCP: 10.0.0.5:17900 answers within 400µs
    ok       TLS: TLS 1.3, the proxy's certificate is that of "proxy" for "proxy.example", issued by "ca", and expires at 2027-03-01T00:00:00Z, in 88 days
    -        certificate: the proxy asks for none
    ok       HTTP/2: the server speaks it
    ok       registration: node_id "data-0" would be accepted; the proxy does not know the node yet

Nothing is registered, and no session is replaced or disturbed: the question has a stream of its own in the gRPC contract. A proxy of
another version refuses that stream, whatever comes on it, and the last line says that the registration was not tried. The proxy
counts such questions among the registrations of an address, which are limited, logs them, and has metrics of them
(` + "`fodc_proxy_registration_checks_accepted_total`, `fodc_proxy_registration_checks_refused_total`" + `).

` + "`fodc check rules FILE...`" + ` reads files of alerting rules as an agent with ` + "`--rule-file`" + ` does: [incidents.md](incidents.md#rules).

## Whether it is ready

` + "`fodc healthcheck agent`, `fodc healthcheck proxy` and `fodc healthcheck standalone`" + ` ask the program on this machine whether it takes
requests (` + "`/-/ready`" + `). They take the flags, the variables and the ` + "`--config`" + ` of the mode, of which they need the addresses of HTTP
and ` + "`--web-config-file`" + `, which says whether there is TLS. The exit code is 0 or 1, and the answer must come within ` + "`--timeout`" + ` (3 s,
` + "`FODC_HEALTHCHECK_TIMEOUT`" + `). Without a mode, mode and flags are those of the process 1, which is the program of a container:

    HEALTHCHECK CMD ["/fodc", "healthcheck"]

## Completions and the manual page

` + "`source <(fodc completion bash)`" + ` completes commands, flags and their values in bash; ` + "`fodc completion zsh`" + ` and
` + "`fodc completion fish`" + ` print the same for these shells. ` + "`fodc man | man -l -`" + ` shows the manual page, with all commands and flags.
`

const logAndSignals = `
## The log

The log goes to stderr, one line for each entry. Control characters and line breaks in texts from peers are escaped, as in
` + "`\\n` and `\\u001b`" + `.

The log never blocks the program. If the reader of the log is slow, up to 1 MiB of lines wait in memory. Further lines are
dropped and counted (` + "`fodc_log_lines_dropped_total`, `fodc_agent_log_lines_dropped_total`" + `), and so are lines that cannot be
written because the reader is gone or the disk is full. When writing works again, a line says how many are missing there.

## Signals

Only ` + "`SIGTERM`, `SIGINT`, `SIGQUIT` and `SIGKILL`" + ` end a process.

| signal | effect |
|---|---|
| ` + "`SIGTERM`, `SIGINT`" + ` | a clean stop within 2 s; exit code 0. A second one, at least 200 ms later, ends the process at once; exit code 1 |
| ` + "`SIGQUIT`" + ` | writes the stacks of all goroutines to stderr and ends at once; exit code 2 |
| ` + "`SIGHUP`" + ` | an agent reads the files of ` + "`--rule-file`" + ` again; files of certificates, keys and tokens are compared at once with what was read, which otherwise happens every 5 s. What cannot be read leaves what was read before in force, and is in the log |
| ` + "`SIGSTOP`, `SIGTSTP`, `SIGTTIN`, `SIGTTOU`, `SIGCONT`" + ` | suspend and continue |
| all others, such as ` + "`SIGUSR1`, `SIGPIPE`, `SIGABRT`" + ` | none |

On Linux, the signals 32 and 34 (` + "`SIGRTMIN`" + `) end a process, too: Go leaves them to the C library.
`

// docsCommand returns a new command by its name.
func docsCommand(name string) command {
	for _, cmd := range []command{agentCommand(Runners{}), proxyCommand(Runners{}), standaloneCommand(Runners{})} {
		if cmd.name == name {
			return cmd
		}
	}
	panic("no command " + name)
}

func (cmd command) option(name string) *option {
	at := slices.IndexFunc(cmd.options, func(o *option) bool { return o.name == name })
	if at < 0 {
		return nil
	}
	return cmd.options[at]
}

var (
	comparison = regexp.MustCompile(`, which is [^ ]+`)
	valueName  = regexp.MustCompile("`([A-Z]+)`")
)

// allowed returns what the program's own errors say for wrong values, so that the text cannot
// differ from the rules.
func allowed(t *testing.T, cmdName, flagName string) string {
	t.Helper()
	require.NotEmpty(t, wrongValues[flagName], "--%s: say in wrongValues (usage_test.go) what it must not be", flagName)
	var texts []string
	for _, value := range wrongValues[flagName] {
		cmd := docsCommand(cmdName)
		cmd.options = append(cmd.options, logOptions(&logConfig{})...)
		for name, value := range required[cmdName] {
			require.NoError(t, cmd.option(name).Set(value))
		}
		require.NoError(t, cmd.option(flagName).Set(value))
		var wrong *invalidError
		require.True(t, errors.As(cmd.parse(), &wrong), "--%s %q", flagName, value)
		text := comparison.ReplaceAllString(strings.TrimPrefix(wrong.allowed, "must be "), "")
		if !wrong.absent && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	slices.SortStableFunc(texts, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return strings.Join(texts, "; ")
}

// rank sorts rules that compare with another flag last.
func rank(text string) int {
	if strings.Contains(text, " than --") {
		return 1
	}
	return 0
}

// cell escapes a text for a table.
func cell(text string) string { return strings.NewReplacer("|", "\\|", "<", "&lt;").Replace(text) }

// row is the flag's line in a table.
func row(t *testing.T, cmdName string, o *option) string {
	t.Helper()
	name := "--" + o.name
	if value := valueName.FindStringSubmatch(o.usage); value != nil {
		name += " " + value[1]
	}
	def := "none"
	if text := (cliFlag{o}).GetDefaultText(); text != "" {
		def = text
		if o.defaultText == "" || !strings.Contains(text, " ") {
			def = "`" + text + "`"
		}
	}
	if _, must := required[cmdName][o.name]; must {
		def = "**required**"
	}
	return fmt.Sprintf("| `%s` | `%s` | %s | %s | %s |\n", name, o.envVar(), cell(def), cell(allowed(t, cmdName, o.name)),
		cell(valueName.ReplaceAllString(o.usage, "$1")))
}

func table(t *testing.T, cmdName string, options []*option) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| flag | variable | default | allowed | meaning |\n|---|---|---|---|---|\n")
	for _, o := range options {
		b.WriteString(row(t, cmdName, o))
	}
	return b.String()
}

func configurationPage(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(configurationIntro)
	b.WriteString("    $ fodc proxy --collect-timeout 1m\n    " + run(t, nil, nil, "proxy", "--collect-timeout", "1m").stderr)
	b.WriteString(configFileText)
	for _, name := range []string{"proxy", "agent"} {
		cmd := docsCommand(name)
		fmt.Fprintf(&b, "\n## fodc %s\n\n`fodc %s` %s.\n\n%s", name, name, cmd.usage, table(t, name, cmd.options))
	}
	b.WriteString("\n## fodc standalone\n\n`fodc standalone` " + docsCommand("standalone").usage +
		". It has the flags of both.\nIts agent has only the proxy of the same process, so these flags are missing: ")
	b.WriteString(standaloneDifferences(t))
	b.WriteString("\n## Every command\n\nThese flags may also be given before the command.\n\n" + table(t, "proxy", logOptions(&logConfig{})))
	b.WriteString("\n`--help` shows the flags of a command, `--version` the version of the program.\n")
	b.WriteString("\nThe commands of `fodc journal` take flags alone, and no variables. They are in [journal.md](journal.md).\n" +
		"Those of `fodc query` are in [querying.md](querying.md#fodc-query); `--proxy-url` has the variable `FODC_QUERY_PROXY_URL`.\n" +
		"Those of `fodc incidents` are in [incidents.md](incidents.md#on-the-command-line); `--proxy-url` has the variable `FODC_INCIDENTS_PROXY_URL`.\n" +
		"Those of `fodc rules` take files alone, and are in [incidents.md](incidents.md#rules).\n" +
		"`fodc check mask FILE...` takes files alone, and is in [api.md](api.md#what-would-be-sent).\n" +
		"`fodc view` has one flag, which is in [incidents.md](incidents.md#fodc-view).\n")
	b.WriteString(checking)
	b.WriteString(logAndSignals)
	return b.String()
}

func standaloneDifferences(t *testing.T) string {
	t.Helper()
	both, known := docsCommand("standalone"), map[string]*option{}
	var missing []string
	for _, name := range []string{"agent", "proxy"} { // of the same flag the proxy's counts
		for _, o := range docsCommand(name).options {
			known[o.name] = o
			if both.option(o.name) == nil {
				missing = append(missing, "`--"+o.name+"`")
			}
		}
	}
	var others []*option
	for _, o := range both.options {
		like, isKnown := known[o.name]
		require.True(t, isKnown, "--%s is a flag of standalone alone: give it a place in this page", o.name)
		delete(known, o.name)
		if o.defaultValue != like.defaultValue || o.defaultText != like.defaultText {
			others = append(others, o)
		}
	}
	require.ElementsMatch(t, missing, slices.Collect(func(yield func(string) bool) {
		for name := range maps.Keys(known) {
			if !yield("`--" + name + "`") {
				return
			}
		}
	}))
	return strings.Join(missing, ", ") + ". These have other defaults:\n\n" + table(t, "standalone", others)
}

// sameAsWritten compares a file of docs/ with its expected content, or writes it.
func sameAsWritten(t *testing.T, name, want string) {
	t.Helper()
	path := "../docs/" + name
	if updating() {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	wantLines, gotLines := strings.Split(want, "\n"), strings.Split(string(got), "\n")
	for i := range max(len(wantLines), len(gotLines)) {
		if i >= len(wantLines) || i >= len(gotLines) || wantLines[i] != gotLines[i] {
			t.Fatalf("docs/%s is stale: run make docs, and look at the difference. Line %d is\n%s\nand not\n%s", name, i+1,
				strings.Join(gotLines[min(i, len(gotLines)):min(i+1, len(gotLines))], ""),
				strings.Join(wantLines[min(i, len(wantLines)):min(i+1, len(wantLines))], ""))
		}
	}
}

func TestDocsConfiguration(t *testing.T) { sameAsWritten(t, "configuration.md", configurationPage(t)) }
