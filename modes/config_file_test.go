package modes

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fodc/modes/configfile"

	"github.com/stretchr/testify/require"
)

// configOf writes a configuration file.
func configOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fodc.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// asFile writes a configuration file that says the same as a command line.
func asFile(t *testing.T, cmd command, args []string) string {
	t.Helper()
	values := map[string][]string{}
	for i := 1; i < len(args); i++ {
		name, value, joined := strings.Cut(strings.TrimPrefix(args[i], "--"), "=")
		switch o := cmd.option(name); {
		case joined:
		case o.isBool:
			value = "true"
		default:
			i++
			value = args[i]
		}
		values[name] = append(values[name], value)
	}
	var b strings.Builder
	for name, texts := range values {
		kind := cmd.option(name).kind
		for i, text := range texts {
			if kind != configfile.Bool && kind != configfile.Number && kind != configfile.Numbers {
				texts[i] = strconv.Quote(text)
			}
		}
		if kind == configfile.Texts || kind == configfile.Numbers || kind == configfile.Pairs {
			fmt.Fprintf(&b, "%s: [%s]\n", name, strings.Join(texts, ", "))
		} else {
			fmt.Fprintf(&b, "%s: %s\n", name, texts[0])
		}
	}
	return configOf(t, b.String())
}

func TestFlagOverEnvironmentOverFileOverDefault(t *testing.T) {
	file := configOf(t, "max-agents: 6\nmax-collections: 5\nhttp-operator: [alice, bob]\nweb-config-file: web.yml\nlog-level: debug\nstorage-dir: \"\"\n")
	f := func(agents, collections int, operators []string, env []string, args ...string) {
		t.Helper()
		o := run(t, nil, env, append([]string{"proxy"}, args...)...)
		require.Equal(t, exitClean, o.code, o.stderr)
		c := o.config.(ProxyConfig)
		require.Equal(t, []int{agents, collections}, []int{c.MaxAgents, c.MaxCollections})
		require.Equal(t, operators, c.Web.Operators)
	}
	both := []string{"alice", "bob"}
	f(1000, 16, nil, nil)
	f(6, 5, both, nil, "--config", file)
	f(6, 5, both, []string{"FODC_CONFIG=" + file})
	f(7, 5, both, []string{"FODC_MAX_AGENTS=7"}, "--config", file)
	f(8, 5, []string{"carol"}, []string{"FODC_MAX_AGENTS=7"}, "--config", file, "--max-agents", "8", "--http-operator", "carol")
	f(6, 5, both, []string{"FODC_CONFIG=/nothing"}, "--config", file)
	f(6, 5, both, []string{"FODC_MAX_AGENTS="}, "--config", file)
	// A wrong value that is overridden is ignored.
	wrongValue := configOf(t, "max-agents: 0\n")
	f(8, 16, nil, nil, "--config", wrongValue, "--max-agents", "8")
	// Of a file, an empty value is a value, and the default is not taken for it.
	require.Equal(t, standaloneDir, run(t, nil, nil, "standalone").config.(StandaloneConfig).Agent.Storage.Dir)
	require.Empty(t, run(t, nil, nil, "standalone", "--config", file).config.(StandaloneConfig).Agent.Storage.Dir)
	// What follows from whether a flag is given follows from the file, too.
	node := "node-id: n\nnode-role: r\n"
	o := run(t, nil, nil, "agent", "--config", configOf(t, node+"lifecycle-port: 18912\n"))
	require.False(t, o.config.(AgentConfig).Database.LifecycleOptional, o.stderr)
	o = run(t, nil, nil, "standalone", "--config", configOf(t, "node-role: standalone\ncluster-state-ports: 17912"))
	require.Equal(t, "standalone", o.config.(StandaloneConfig).Agent.NodeRole, o.stderr)
}

func TestMappingsInTheFile(t *testing.T) {
	o := run(t, nil, nil, "agent", "--config", configOf(t, "node-id: 007\nnode-role: r\nnode-labels:\n  zone: a\n  disk: 1\nsecondary-address:\n  grpc: \"[::1]:4\"\nproxy-tls-min-version: 1.2\nproxy-tls: true\ncluster-state-ports: [1, 2]\n"))
	c, ok := o.config.(AgentConfig)
	require.True(t, ok, o.stderr)
	require.Equal(t, "007", c.NodeID)
	require.Equal(t, map[string]string{"zone": "a", "disk": "1"}, c.NodeLabels)
	require.Len(t, c.SecondaryAddresses, 1)
	require.Equal(t, "1.2", c.Security.MinVersion)
	require.Equal(t, []int{1, 2}, c.Database.StatePorts)
}

func TestWrongConfigFile(t *testing.T) {
	f := func(mode, text, words string) {
		t.Helper()
		file := configOf(t, text)
		o := run(t, nil, nil, mode, "--config", file)
		wrong(t, o, "fodc "+mode+": ", strings.Replace(words, "@", file, 1))
		require.NotContains(t, o.stderr, "hunter")
	}
	f("proxy", "max-agents: 7\nmax-agent: hunter2\n", `@:2: unknown key "max-agent": the nearest one is "max-agents"`)
	f("proxy", "Max_Agents: 1", `@:1: unknown key "Max_Agents": the nearest one is "max-agents"`)
	f("proxy", "--max-agents: 1", `@:1: unknown key "--max-agents": the nearest one is "max-agents"`)
	f("proxy", "node-id: n", `@:1: unknown key "node-id": it is a key of fodc agent and fodc standalone`)
	f("standalone", "proxy-addr: a:1", `@:1: unknown key "proxy-addr": it is a key of fodc agent`)
	f("proxy", "config: other.yaml", `@:1: unknown key "config": a file names no other one`)
	f("proxy", "xyz: hunter2", `@:1: unknown key "xyz"`)
	f("proxy", "\n\nmax-agents: 0", `@:3: max-agents "0": must be a whole number from 1 to 1000000`)
	f("proxy", "max-agents: many", `@:1: max-agents "many": must be a whole number, without quotes`)
	f("proxy", "allow-remote-actions: yes", `@:1: allow-remote-actions "yes": must be true or false`)
	f("proxy", "allow-remote-actions: True", `@:1: allow-remote-actions "True": must be true or false`)
	f("proxy", "collect-timeout: 10", `@:1: collect-timeout "10": must be a duration of at least 10ms, such as 5s or 1m30s`)
	f("proxy", "collect-timeout: 1m", `@:1: collect-timeout "1m": must be less than --http-write-timeout, which is 10s`)
	f("proxy", "grpc-client-auth: [require]", `@:1: grpc-client-auth must be one value, and is a list`)
	f("agent", "node-id: n\nnode-role: r\nproxy-addr:\n- a:1\n- b\n", `@:5: proxy-addr "b": must be HOST:PORT`)
	f("agent", "node-id: n\nnode-role: r\nproxy-addr: []\n", `@:3: proxy-addr is missing: at least one proxy is needed`)
	f("agent", "node-role: r\n", `--node-id is missing`)
	f("agent", "node-id: n\nnode-role: r\nnode-labels:\n  a: b\n  __name__: c\n", `: node-labels "__name__=c,a=b": must be NAME=VALUE`)
	f("agent", "metrics-endpoint:\n- http://u:hunter2@h/x\n", `--node-id is missing`)
	f("agent", "node-id: n\nnode-role: r\nmetrics-endpoint:\n- http://u:hunter2@h/x\n", `: metrics-endpoint "http://h/x": must have no user and password`)
	f("proxy", "external-url: https://u:hunter2@h", `:1: external-url "https://u:***`)
	f("proxy", "max-agents: 1\nmax-agents: 2", `@:2: max-agents is there twice: it is in line 1, too`)
	f("proxy", "alertmanager-url: *hunter2", `@: a value begins with *, which is that of an alias: put it in quotes`)
	f("proxy", "- hunter2", `@:1: the file must be a mapping`)
	f("proxy", "a: 1\nb: 2\nc: 3\nd: 4\n", `unknown key "c"; and more, which fodc check config proxy lists`)
	f("proxy", strings.Repeat("#", configfile.MaxBytes+1), `@: the file has more than 262144 bytes`)
	wrong(t, run(t, nil, nil, "proxy", "--config", "/nothing/fodc.yaml"), `fodc proxy: --config "/nothing/fodc.yaml": must be a file that can be read: no such file or directory`)
	wrong(t, run(t, nil, []string{"FODC_CONFIG=/nothing/fodc.yaml"}, "proxy"), `fodc proxy: FODC_CONFIG "/nothing/fodc.yaml": must be a file that can be read: `)
	wrong(t, run(t, nil, nil, "proxy", "--config", t.TempDir()), `must be a file that can be read: is a directory`)
}

// Each value that a flag refuses is refused in a file, too, and the error has the line and the key.
func TestWrongValueOfEachKey(t *testing.T) {
	for _, cmd := range []command{agentCommand(Runners{}), proxyCommand(Runners{}), standaloneCommand(Runners{})} {
		for _, o := range slices.Concat(cmd.options, logOptions(&logConfig{})) {
			if o.name == configFlag {
				continue
			}
			for _, value := range wrongValues[o.name] {
				if value == "" || strings.Contains(value, "\xff") || strings.ContainsAny(value, "[]") {
					continue // An empty text is one that is absent, or not. Of the others YAML says what is wrong.
				}
				text := "# a comment\n"
				for name, value := range required[cmd.name] {
					if name != o.name {
						text += name + ": " + value + "\n"
					}
				}
				line := strings.Count(text, "\n") + 1
				file := configOf(t, text+o.name+": "+strconv.Quote(value)+"\n")
				wrong(t, run(t, nil, nil, cmd.name, "--config", file), "fodc "+cmd.name+": "+file+":"+strconv.Itoa(line)+": "+o.name+" ")
			}
		}
	}
}

func TestCheckConfigWithAFile(t *testing.T) {
	w := newCheckWorld(t)
	w.write("proxy.yaml", "max-agents: 6\nmax-collections: 5\nalertmanager-url: [\"http://u:hunter2@am:9093\"]\n")
	out, err := w.checkConfig("proxy", "--config", "@proxy.yaml", "--max-agents", "7")
	require.NoError(t, err, out)
	require.Contains(t, out, "ok       \"proxy.yaml\" (--config) has 3 settings; --max-agents overrides max-agents\n")
	require.NotContains(t, out, "proxy.yaml\" can be read by all")
	require.NoError(t, os.Chmod(w.path("proxy.yaml"), 0o644))
	out, err = w.checkConfig("proxy", "--config", "@proxy.yaml")
	require.NoError(t, err, out)
	require.Contains(t, out, "warning  --config: \"proxy.yaml\" can be read by all users of the machine (mode 0644): chmod o-r\n")
	require.NotContains(t, out, "hunter")

	w.write("proxy.yaml", "max-agent: hunter2\nmax-collections: 0\nkeep-last: soon\n")
	f := func(code int, env []string, args ...string) outcome {
		t.Helper()
		o := run(t, nil, env, append([]string{"check", "config", "proxy", "--config", w.path("proxy.yaml")}, args...)...)
		require.Equal(t, code, o.code, o.stderr)
		require.Nil(t, o.config)
		require.NotContains(t, o.stdout+o.stderr, "hunter")
		return o
	}
	o := f(exitFailure, nil)
	problems := reportLines("PROBLEM", strings.ReplaceAll(o.stdout, w.dir+"/", ""))
	requireLines(t, []string{`--config: proxy.yaml:1: unknown key "max-agent": the nearest one is "max-agents". Look at: the flag in fodc proxy --help`,
		`--config: proxy.yaml:2: max-collections "0": must be a whole number from 1 to 10000. Look at: `, `--config: proxy.yaml:3: keep-last "soon": `}, problems, o.stdout)
	require.Equal(t, "fodc check config proxy: there are 3 problems\n", o.stderr)
	// Wrong flags are wrong usage, whatever else is wrong.
	require.Contains(t, f(exitUsage, nil, "--max-collections", "x").stderr, `unknown key "max-agent"`)
	f(exitUsage, []string{"FODC_MAX_COLLECTIONS=x"})
	require.NoError(t, os.Remove(w.path("proxy.yaml")))
	require.Contains(t, f(exitFailure, nil).stdout, "no such file or directory. Look at: whether the path is right")
}

// fodc check proxy takes what it needs of an agent's file.
func TestCheckProxyWithAFile(t *testing.T) {
	f := func(text string, args ...string) outcome {
		return run(t, nil, nil, append([]string{"check", "proxy", "h:1", "--config", configOf(t, text)}, args...)...)
	}
	o := f("node-id: n\nnode-role: r\npoll-metrics-interval: 1s\nlog-level: debug\nproxy-addr: x\n")
	require.Equal(t, exitClean, o.code, o.stderr)
	require.Equal(t, "n", o.config.(CheckProxyConfig).Agent.NodeID)
	wrong(t, f("node-id: n\nmax-agents: 1\n"), `fodc check proxy: `, `:2: unknown key "max-agents": it is a key of fodc proxy`)
}
