package modes

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/modes/export"
)

// outcome is the result of a run of the program.
type outcome struct {
	code           int
	stdout, stderr string
	// config is what the mode was run with; nil if none was.
	config any
}

// run runs the program with runners that end at once with the error, and without
// any variable of ours in the environment but those given as NAME=VALUE.
func run(t *testing.T, runErr error, env []string, args ...string) outcome {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, envPrefix) {
			t.Setenv(name, "")
		}
	}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	var o outcome
	var stdout, stderr bytes.Buffer
	o.code = runMain(t, append([]string{programName}, args...), &stdout, &stderr, Runners{
		Proxy:       func(_ context.Context, c ProxyConfig, _ Program) error { o.config = c; return runErr },
		Agent:       func(_ context.Context, c AgentConfig, _ Program) error { o.config = c; return runErr },
		Standalone:  func(_ context.Context, c StandaloneConfig, _ Program) error { o.config = c; return runErr },
		Inspect:     func(_ context.Context, c InspectConfig, _ io.Writer) error { o.config = c; return runErr },
		Export:      func(_ context.Context, c export.Config, _, _ io.Writer) error { o.config = c; return runErr },
		Query:       func(_ context.Context, c QueryCommandConfig, _, _ io.Writer) error { o.config = c; return runErr },
		Incidents:   func(_ context.Context, c IncidentsConfig, _, _ io.Writer) error { o.config = c; return runErr },
		Rules:       func(_ context.Context, c RulesConfig, _, _ io.Writer) error { o.config = c; return runErr },
		CheckMask:   func(_ context.Context, c CheckMaskConfig, _, _ io.Writer) error { o.config = c; return runErr },
		CheckProxy:  func(_ context.Context, c CheckProxyConfig, _, _ io.Writer) error { o.config = c; return runErr },
		CheckConfig: func(_ context.Context, c CheckedConfig, _, _ io.Writer) error { o.config = c; return runErr },
		CheckRules:  func(_ context.Context, c CheckRulesConfig, _, _ io.Writer) error { o.config = c; return runErr },
		Healthcheck: func(_ context.Context, c HealthcheckConfig, _, _ io.Writer) error { o.config = c; return runErr },
		View:        func(_ context.Context, c ViewConfig, _, _ io.Writer) error { o.config = c; return runErr },
	})
	o.stdout, o.stderr = stdout.String(), stderr.String()
	return o
}

// runMain calls Main, and gives the signals of the process their usual effect back afterwards.
func runMain(t *testing.T, args []string, stdout, stderr io.Writer, run Runners) (exitCode int) {
	t.Helper()
	defer func() {
		if exitCode == exitUsage {
			// A wrong command line ends before the process listens to any other. To reset all takes milliseconds.
			signal.Reset(syscall.SIGPIPE)
			return
		}
		signal.Reset()
	}()
	return Main(args, stdout, stderr, run)
}

var defaultProxy = ProxyConfig{
	GRPCListenAddr: ":17900", HTTPListenAddr: ":17901",
	GRPCTLS:          GRPCTLSConfig{ClientAuth: "require", NodeIDFrom: "any", MinVersion: "1.3"},
	HeartbeatTimeout: 30 * time.Second, CleanupTimeout: 5 * time.Minute,
	MaxAgents: 1000, GRPCMaxMsgSize: 4194304,
	HTTPReadTimeout: 10 * time.Second, HTTPWriteTimeout: 10 * time.Second,
	HeartbeatInterval: 10 * time.Second, CollectTimeout: 5 * time.Second, MaxCollections: 16, MaxAgentSeries: 100_000, MaxAnswersMemoryPercent: 20,
	Queries:   QueryConfig{Timeout: 30 * time.Second, MaxSamples: 50_000_000, Concurrency: 20},
	Incidents: ProxyIncidentsConfig{MaxNodes: 50, MaxCount: 200, RetentionBytes: 5 << 30},
}

// defaultAgent has the two values that must be given: n and r.
var defaultAgent = AgentConfig{
	ProxyAddrs: []string{"localhost:17900"}, NodeID: "n", NodeRole: "r", NodePort: 17912,
	Targets: []TargetConfig{{URL: "http://127.0.0.1:2121/metrics"}}, DefaultTargets: true,
	Security:     LinkSecurityConfig{MinVersion: "1.3"},
	PollInterval: 10 * time.Second, HeartbeatInterval: 10 * time.Second, ReconnectInterval: 5 * time.Second,
	MaxMemoryPercent: 10, HTTPListenAddr: ":17902", HostTelemetry: true, KernelTelemetry: kernelAuto, CollectConfig: true,
	MaxPageBytes: 32 << 20, MaxPageSamples: 200_000, MaxSampleLabels: 128, MaxLabelBytes: 64 << 10,
	Database: DatabaseConfig{StateInterval: 30 * time.Second, LifecyclePort: 18912, LifecycleOptional: true, LifecycleTTL: 10 * time.Minute, ReportDir: "/tmp/lifecycle-reports"},
	Storage:  StorageConfig{RetentionTime: 72 * time.Hour, RetentionBytes: 512 << 20, SyncInterval: 10 * time.Second, MinFree: 0.05},
	Queries:  QueryConfig{Timeout: 30 * time.Second, MaxSamples: 2_000_000, Concurrency: 4},
	Pressure: PressureConfig{Enabled: true, TriggerPercent: 75, Cooldown: 5 * time.Minute, MaxArtifacts: 16, MaxDiskBytes: 512 << 20,
		PprofPort: 6060},
	Incidents: defaultIncidents,
	Crashes:   CrashConfig{MaxArtifacts: 64},
}

var defaultIncidents = AgentIncidentsConfig{Enabled: true, BuiltinRules: true, Before: 10 * time.Minute, After: 2 * time.Minute, CoolDown: 10 * time.Minute,
	MaxDuration: 15 * time.Minute, MaxCount: 200, RetentionBytes: 512 << 20}

func TestDefaults(t *testing.T) {
	f := func(want any, args ...string) {
		t.Helper()
		o := run(t, nil, nil, args...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Equal(t, want, o.config)
	}
	proxyAlone := defaultProxy
	proxyAlone.Incidents.Before, proxyAlone.Incidents.After, proxyAlone.Incidents.MaxDuration = 10*time.Minute, 2*time.Minute, 15*time.Minute
	f(proxyAlone, "proxy")
	f(defaultAgent, "agent", "--node-id", "n", "--node-role", "r")

	host, err := os.Hostname()
	require.NoError(t, err)
	both := StandaloneConfig{Proxy: defaultProxy, Agent: defaultAgent}
	both.Agent.ProxyAddrs, both.Agent.NodeID, both.Agent.NodeRole = nil, host, "standalone"
	both.Agent.Storage.Dir = "fodc-data"
	both.Agent.Security = LinkSecurityConfig{} // There is no network between the two.
	f(both, "standalone")
}

func TestEveryProxyFlagArrives(t *testing.T) {
	want := ProxyConfig{
		GRPCListenAddr: "[::1]:1", HTTPListenAddr: "localhost:0",
		HeartbeatTimeout: 3 * time.Second, CleanupTimeout: 4 * time.Second, MaxAgents: 5, GRPCMaxMsgSize: 1 << 20,
		HTTPReadTimeout: 7 * time.Second, HTTPWriteTimeout: 8 * time.Second,
		HeartbeatInterval: 1500 * time.Millisecond, CollectTimeout: 6 * time.Second, MaxCollections: 9, MaxAgentSeries: 10, MaxAnswersMemoryPercent: 11, ExternalURL: "https://h:1/fodc",
		AlertmanagerURLs: []string{"http://u:p@h:9093/am"},
		Queries:          QueryConfig{Timeout: 12 * time.Second, MaxSamples: 13, Concurrency: 14},
		StorageDir:       "a dir", Incidents: ProxyIncidentsConfig{MaxNodes: 15, MaxCount: 16, RetentionBytes: 17 << 20, KeepLast: 18 * time.Minute, AllowRemoteActions: true,
			Before: 19 * time.Minute, After: 20 * time.Minute, MaxDuration: 21 * time.Minute},
		Web: WebConfig{File: "web.yml", TokenFile: "tokens", Operators: []string{"alice"}}, AlertmanagerConfigFile: "am.yml",
		GRPCTLS: GRPCTLSConfig{CertFile: "p.crt", KeyFile: "p.key", ClientCAFile: "agents.crt", ClientAuth: "optional", NodeIDFrom: "san", TokenFile: "agents", MinVersion: "1.2"},
	}
	values := map[string]string{
		"grpc-tls-cert-file": "p.crt", "grpc-tls-key-file": "p.key", "grpc-client-ca-file": "agents.crt", "grpc-client-auth": "optional", "grpc-node-id-from": "san",
		"grpc-agent-token-file": "agents", "grpc-tls-min-version": "1.2", "alertmanager-config-file": "am.yml",
		"grpc-listen-addr": "[::1]:1", "http-listen-addr": "localhost:0", "agent-heartbeat-timeout": "3s",
		"agent-cleanup-timeout": "4s", "max-agents": "5", "grpc-max-msg-size": "1048576", "http-read-timeout": "7s",
		"http-write-timeout": "8s", "heartbeat-interval": "1.5s", "collect-timeout": "6s", "max-collections": "9", "max-agent-series": "10", "max-answers-memory-percentage": "11", "external-url": "https://h:1/fodc", "alertmanager-url": "http://u:p@h:9093/am",
		"web-config-file": "web.yml", "bearer-token-file": "tokens", "http-operator": "alice",
		"query-timeout": "12s", "query-max-samples": "13", "query-concurrency": "14",
		"storage-dir": "a dir", "incident-max-nodes": "15", "incident-max-count": "16", "incident-retention-size": "17MiB", "keep-last": "18m", "incident-before": "19m", "incident-after": "20m", "incident-max-duration": "21m",
	}
	args := append([]string{"proxy", "--allow-remote-actions"}, asArgs(values)...)
	requireAllOptions(t, proxyCommand(Runners{}), args)
	o := run(t, nil, nil, args...)
	require.Equal(t, want, o.config, o.stderr)
	o = run(t, nil, nil, "proxy", "--config", asFile(t, proxyCommand(Runners{}), args))
	require.Equal(t, want, o.config, o.stderr)
	o = run(t, nil, append(asEnv(values), "FODC_ALLOW_REMOTE_ACTIONS=true"), "proxy")
	require.Equal(t, want, o.config, o.stderr)
}

func TestEveryAgentFlagArrives(t *testing.T) {
	want := AgentConfig{
		ProxyAddrs: []string{"a:1", "[::1]:2"}, NodeID: "id, of a node", NodeRole: "meta",
		NodeLabels: map[string]string{"zone": "a", "url": "x=y"}, NodeIP: "::2", NodePort: 3,
		SecondaryAddresses: map[string]messages.Address{"grpc": {IP: "::1", Port: 4}, "http": {IP: "10.0.0.1", Port: 5}},
		PodName:            "pod",
		Targets: []TargetConfig{
			{URL: "http://h/a,b", ContainerName: "one"}, {URL: "https://h:6", ContainerName: "two"},
			{URL: "http://127.0.0.1:7/metrics", ContainerName: "three"},
		},
		PollInterval: time.Second, HeartbeatInterval: 2 * time.Second, ReconnectInterval: 3 * time.Second,
		MaxMemoryPercent: 100, HTTPListenAddr: ":0",
		MaxPageBytes: 1 << 10, MaxPageSamples: 2, MaxSampleLabels: 3, MaxLabelBytes: 4,
		KernelTelemetry: kernelOff, DataDirs: []string{"/data/a,b", "/data/c"}, NodePIDFile: "/run/node.pid", NodeProcess: "node",
		NodeConfigFiles: []string{"/etc/a.yaml", "/etc/b,c.env"},
		Database:        DatabaseConfig{StatePorts: []int{8, 9, 10}, StateInterval: 11 * time.Second, LifecyclePort: 12, LifecycleTTL: 13 * time.Minute, ReportDir: "/reports"},
		Storage: StorageConfig{Dir: "a dir", RetentionTime: 14*24*time.Hour + 12*time.Hour, RetentionBytes: 1536 << 20,
			SyncInterval: 1500 * time.Millisecond, MinFree: 0.025},
		Queries: QueryConfig{Timeout: 5 * time.Second, MaxSamples: 6, Concurrency: 7},
		Pressure: PressureConfig{TriggerPercent: 80, Cooldown: 90 * time.Second, Dir: "b dir", MaxArtifacts: 8, MaxDiskBytes: 1 << 30,
			PprofPort: 9},
		Incidents: AgentIncidentsConfig{Enabled: false, RuleFiles: []string{"/rules/*.yaml", "/a,b.yaml"}, Before: time.Minute, After: 30 * time.Second, CoolDown: 5 * time.Minute,
			MaxDuration: time.Hour, MaxCount: 7, RetentionBytes: 1 << 30, PprofEndpoint: "https://h:1", AllowRemoteActions: true},
		Crashes: CrashConfig{Dirs: []string{"/crash/a,b", "/crash/c"}, MaxArtifacts: 7, LogFiles: []string{"/log/a,b", "/log/c"}},
		Web:     WebConfig{File: "web.yml", TokenFile: "tokens", Operators: []string{"alice"}}, ExternalURL: "https://h:1/agent", ScrapeConfigFile: "scrape.yml",
		Security: LinkSecurityConfig{TLS: true, CAFile: "ca.crt", CertFile: "a.crt", KeyFile: "a.key", ServerName: "proxy.example", MinVersion: "1.2", TokenFile: "token"},
	}
	single := map[string]string{
		"proxy-ca-file": "ca.crt", "proxy-cert-file": "a.crt", "proxy-key-file": "a.key", "proxy-server-name": "proxy.example", "proxy-tls-min-version": "1.2",
		"proxy-token-file": "token", "scrape-config-file": "scrape.yml",
		"node-id": "id, of a node", "node-role": "meta", "node-labels": "zone=a, url=x=y", "node-ip": "::2", "node-port": "3",
		"pod-name": "pod", "poll-metrics-interval": "1s", "heartbeat-interval": "2s", "reconnect-interval": "3s",
		"max-metrics-memory-usage-percentage": "100", "prometheus-listen-addr": ":0", "poll-metrics-ports": "7",
		"node-pid-file": "/run/node.pid", "node-process": "node",
		"kernel-telemetry": "off", "storage-dir": "a dir", "storage-retention-time": "2w12h", "storage-retention-size": "1.5GB", "storage-sync-interval": "1.5s",
		"storage-min-free": "2.5%",
		"max-page-bytes":   "1024", "max-page-samples": "2", "max-sample-labels": "3", "max-label-bytes": "4",
		"query-timeout": "5s", "query-max-samples": "6", "query-concurrency": "7",
		"cluster-state-poll-interval": "11s", "lifecycle-port": "12", "lifecycle-cache-ttl": "13m", "lifecycle-report-dir": "/reports",
		"pressure-profiler-trigger-percent": "80", "pressure-profiler-cooldown": "90s", "pressure-profiler-dir": "b dir",
		"pressure-profiler-max-artifacts": "8", "pressure-profiler-max-disk-bytes": "1073741824", "pressure-profiler-pprof-port": "9",
		"incident-before": "1m", "incident-after": "30s", "incident-cooldown": "5m", "incident-max-duration": "1h",
		"incident-max-count": "7", "incident-retention-size": "1GiB", "pprof-endpoint": "https://h:1",
		"max-crash-artifacts": "7", "web-config-file": "web.yml", "bearer-token-file": "tokens", "http-operator": "alice", "external-url": "https://h:1/agent",
	}
	args := append([]string{"agent", "--cluster-state-ports", "8,9", "--cluster-state-ports", "10", "--proxy-addr", "a:1", "--proxy-addr", "[::1]:2",
		"--secondary-address", "grpc=[::1]:4", "--secondary-address", "http=10.0.0.1:5",
		"--data-dir", "/data/a,b", "--data-dir", "/data/c", "--host-telemetry=false", "--pressure-profiler-enabled=false",
		"--incidents=false", "--builtin-rules=false", "--allow-remote-actions", "--proxy-tls", "--rule-file", "/rules/*.yaml", "--rule-file", "/a,b.yaml",
		"--crash-source-dir", "/crash/a,b", "--crash-source-dir", "/crash/c", "--node-log-file", "/log/a,b", "--node-log-file", "/log/c",
		"--collect-config=false", "--node-config-file", "/etc/a.yaml", "--node-config-file", "/etc/b,c.env",
		"--metrics-endpoint", "http://h/a,b", "--metrics-endpoint", "https://h:6",
		"--container-names", "one", "--container-names", "two", "--container-names", "three"}, asArgs(single)...)
	requireAllOptions(t, agentCommand(Runners{}), args)
	o := run(t, nil, nil, args...)
	require.Equal(t, want, o.config, o.stderr)
	o = run(t, nil, nil, "agent", "--config", asFile(t, agentCommand(Runners{}), args))
	require.Equal(t, want, o.config, o.stderr)

	o = run(t, nil, append(asEnv(single), "FODC_PROXY_ADDR=a:1 [::1]:2",
		"FODC_SECONDARY_ADDRESS=grpc=[::1]:4\nhttp=10.0.0.1:5", "FODC_METRICS_ENDPOINT= http://h/a,b  https://h:6 ",
		"FODC_CONTAINER_NAMES=one two three", "FODC_DATA_DIR=/data/a,b /data/c", "FODC_HOST_TELEMETRY=false",
		"FODC_COLLECT_CONFIG=false", "FODC_PRESSURE_PROFILER_ENABLED=false", "FODC_INCIDENTS=false", "FODC_BUILTIN_RULES=false", "FODC_ALLOW_REMOTE_ACTIONS=true", "FODC_PROXY_TLS=true",
		"FODC_RULE_FILE=/rules/*.yaml /a,b.yaml", "FODC_CRASH_SOURCE_DIR=/crash/a,b /crash/c", "FODC_NODE_LOG_FILE=/log/a,b /log/c",
		"FODC_CLUSTER_STATE_PORTS=8,9 10", "FODC_NODE_CONFIG_FILE=/etc/a.yaml /etc/b,c.env"), "agent")
	require.Equal(t, want, o.config, o.stderr)
}

// requireAllOptions requires that a command line has all options of the command.
func requireAllOptions(t *testing.T, c command, args []string) {
	t.Helper()
	for _, o := range c.options {
		if o.name == configFlag {
			continue // It is no setting.
		}
		given := slices.ContainsFunc(args, func(arg string) bool { return arg == "--"+o.name || strings.HasPrefix(arg, "--"+o.name+"=") })
		require.True(t, given, "the test does not give --%s", o.name)
	}
}

func TestFlagWithoutItsValue(t *testing.T) {
	f := func(want bool, env []string, more ...string) {
		t.Helper()
		o := run(t, nil, env, append([]string{"agent", "--node-id", "n", "--node-role", "r"}, more...)...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Equal(t, want, o.config.(AgentConfig).HostTelemetry)
	}
	f(true, nil)
	f(true, nil, "--host-telemetry")
	f(true, nil, "--host-telemetry=false", "--host-telemetry")
	f(false, nil, "--host-telemetry", "--host-telemetry=false")
	f(false, []string{"FODC_HOST_TELEMETRY=false"})
	f(true, []string{"FODC_HOST_TELEMETRY=false"}, "--host-telemetry")
}

func asArgs(values map[string]string) []string {
	var args []string
	for name, value := range values {
		args = append(args, "--"+name, value)
	}
	return args
}

func asEnv(values map[string]string) []string {
	var env []string
	for name, value := range values {
		env = append(env, (&option{name: name}).envVar()+"="+value)
	}
	return env
}

func TestFlagOverEnvironmentOverDefault(t *testing.T) {
	env := []string{"FODC_MAX_AGENTS=7", "FODC_PROXY_ADDR=env:1"}
	require.Equal(t, 1000, run(t, nil, nil, "proxy").config.(ProxyConfig).MaxAgents)
	require.Equal(t, 7, run(t, nil, env, "proxy").config.(ProxyConfig).MaxAgents)
	require.Equal(t, 8, run(t, nil, env, "proxy", "--max-agents", "8").config.(ProxyConfig).MaxAgents)
	// A list replaces; it does not add.
	o := run(t, nil, env, "agent", "--node-id", "n", "--node-role", "r", "--proxy-addr", "flag:1")
	require.Equal(t, []string{"flag:1"}, o.config.(AgentConfig).ProxyAddrs)
	// A wrong value that is overridden is ignored; an empty variable counts as not set.
	o = run(t, nil, []string{"FODC_MAX_AGENTS=x", "FODC_MAX_COLLECTIONS="}, "proxy", "--max-agents", "9")
	require.Equal(t, 9, o.config.(ProxyConfig).MaxAgents, o.stderr)
	// The last one counts.
	require.Equal(t, 2, run(t, nil, nil, "proxy", "--max-agents", "1", "--max-agents", "2").config.(ProxyConfig).MaxAgents)
}

// A role that the node says itself needs no flag.
func TestNodeRoleOfTheNode(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		o := run(t, nil, nil, args...)
		require.Equal(t, exitClean, o.code, o.stderr)
		switch c := o.config.(type) {
		case AgentConfig:
			require.Equal(t, want, c.NodeRole)
		case StandaloneConfig:
			require.Equal(t, want, c.Agent.NodeRole)
		}
	}
	f("", "agent", "--node-id", "n", "--cluster-state-ports", "17912")
	f("r", "agent", "--node-id", "n", "--cluster-state-ports", "17912", "--node-role", "r")
	f("", "standalone", "--cluster-state-ports", "17912")
	f("r", "standalone", "--cluster-state-ports", "17912", "--node-role", "r")
	f("standalone", "standalone", "--cluster-state-ports", "17912", "--node-role", "standalone")
	f("standalone", "standalone")
}

func TestNodeIDFallsBackToPodName(t *testing.T) {
	o := run(t, nil, nil, "agent", "--pod-name", "pod", "--node-role", "r")
	require.Equal(t, "pod", o.config.(AgentConfig).NodeID, o.stderr)
	o = run(t, nil, nil, "standalone", "--pod-name", "pod")
	require.Equal(t, "pod", o.config.(StandaloneConfig).Agent.NodeID, o.stderr)
}

func TestStandaloneHasOneHeartbeatInterval(t *testing.T) {
	c := run(t, nil, nil, "standalone", "--heartbeat-interval", "4s").config.(StandaloneConfig)
	require.Equal(t, 4*time.Second, c.Proxy.HeartbeatInterval)
	require.Equal(t, 4*time.Second, c.Agent.HeartbeatInterval)
}

func TestDefaultTargetOnlyWhereNoneIsNamed(t *testing.T) {
	f := func(wantDefault bool, wantURLs []string, more ...string) {
		t.Helper()
		o := run(t, nil, nil, append([]string{"agent", "--node-id", "n", "--node-role", "r"}, more...)...)
		c := o.config.(AgentConfig)
		require.Equal(t, wantURLs, c.urls())
		require.Equal(t, wantDefault, c.DefaultTargets)
	}
	f(true, []string{"http://127.0.0.1:2121/metrics"})
	f(false, []string{"http://127.0.0.1:1/metrics"}, "--poll-metrics-ports", "1")
	f(false, []string{"http://h/m"}, "--metrics-endpoint", "http://h/m")
	f(false, []string{"http://h/m", "http://127.0.0.1:1/metrics"}, "--poll-metrics-ports", "1", "--metrics-endpoint", "http://h/m")
}

func TestLogFlagsBeforeAndAfterTheCommand(t *testing.T) {
	f := func(wantJSON bool, args ...string) {
		t.Helper()
		o := run(t, nil, nil, args...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Equal(t, wantJSON, strings.HasPrefix(o.stderr, "{"), o.stderr)
	}
	f(false, "proxy")
	f(true, "--log-format", "json", "proxy")
	f(true, "proxy", "--log-format", "json")
	f(true, "--log-format", "console", "proxy", "--log-format", "json")
	require.Empty(t, run(t, nil, nil, "--log-level", "error", "proxy").stderr)
	require.Empty(t, run(t, nil, []string{"FODC_LOG_LEVEL=error"}, "proxy").stderr)
}

func TestFailureExitsOneAndIsLogged(t *testing.T) {
	o := run(t, errors.New("listen on 127.0.0.1:17900: taken"), nil, "proxy", "--log-level", "error")
	require.Equal(t, exitFailure, o.code)
	require.Contains(t, o.stderr, "127.0.0.1:17900")
	require.Equal(t, 1, strings.Count(o.stderr, "\n"))
}

func TestHelpAndVersionGoToStdout(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		o := run(t, nil, []string{"FODC_MAX_AGENTS=x"}, args...)
		require.Equal(t, exitClean, o.code)
		require.Nil(t, o.config)
		require.Contains(t, o.stdout, want)
		require.Empty(t, o.stderr)
	}
	for _, args := range [][]string{{"--version"}, {"-v"}, {"proxy", "--version"}, {"agent", "--version"}} {
		f("fodc version ", args...)
	}
	for _, args := range [][]string{{"--help"}, {"-h"}, {"help"}} {
		f("standalone", args...)
	}
	for _, args := range [][]string{{"proxy", "--help"}, {"help", "proxy"}, {"--log-level", "debug", "proxy", "-h"}} {
		f("[$FODC_MAX_AGENTS]", args...)
		f("(default: 1000)", args...)
	}
}

func TestSignalEndsTheMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process of Windows cannot send itself a signal")
	}
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		ended := false
		code := runMain(t, []string{programName, "proxy"}, &bytes.Buffer{}, &bytes.Buffer{}, Runners{
			Proxy: func(ctx context.Context, _ ProxyConfig, _ Program) error {
				self, err := os.FindProcess(os.Getpid())
				if err != nil {
					return err
				}
				if err := self.Signal(s); err != nil {
					return err
				}
				<-ctx.Done()
				ended = true
				return nil
			},
		})
		require.Equal(t, exitClean, code)
		require.True(t, ended)
	}
}

// /api/v1/status/flags shows the values that count, and no secret.
func TestFlagsThatCount(t *testing.T) {
	var flags map[string]string
	t.Setenv("FODC_NODE_LABELS", "zone=a token=Zx81kLq09PwTrY2mNb7v")
	code := runMain(t, []string{programName, "agent", "--proxy-addr", "p:1", "--node-id", "n1", "--node-role", "data", "--metrics-endpoint", "http://a/1", "--metrics-endpoint", "http://a/2", "--log-level", "warn"},
		io.Discard, io.Discard, Runners{Agent: func(_ context.Context, _ AgentConfig, p Program) error { flags = p.Flags; return nil }})
	require.Equal(t, exitClean, code)
	f := func(want, name string) {
		t.Helper()
		require.Contains(t, flags, name)
		require.Equal(t, want, flags[name])
	}
	f("n1", "node-id")
	f("http://a/1 http://a/2", "metrics-endpoint")
	f("warn", "log-level")
	f("30s", "query-timeout")
	f("zone=a token=***", "node-labels")
	f("", "storage-dir")
}
