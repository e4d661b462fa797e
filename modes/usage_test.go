package modes

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

// required is what the commands cannot do without.
var required = map[string]map[string]string{
	"agent":      {"node-id": "n", "node-role": "r"},
	"proxy":      {},
	"standalone": {},
}

var (
	wrongListenAddrs = []string{"", "17900", "host", ":x", ":65536", ":-1", "http://h:1", "a b:1", "::1:1", ":http"}
	wrongDurations   = []string{"", "x", "0", "0s", "-1s", "5", "1ms", "99999999999h"}
	wrongPorts       = []string{"", "x", "0", "-1", "65536", "1.5", "1,2", "4294967297"}
	wrongInts        = []string{"", "x", "0", "-1", "1.5", "1e3", "99999999999999999999"}
	wrongFiles       = []string{"a\nb", "\xff", tooLong}
	tooLong          = strings.Repeat("x", messages.MaxTextBytes+1)
)

// wrongValues has values for each flag that no command accepts.
var wrongValues = map[string][]string{
	"grpc-listen-addr":                    wrongListenAddrs,
	"http-listen-addr":                    wrongListenAddrs,
	"grpc-tls-cert-file":                  wrongFiles,
	"grpc-tls-key-file":                   wrongFiles,
	"grpc-client-ca-file":                 append([]string{"ca.pem"}, wrongFiles...),
	"grpc-client-auth":                    {"", "x", "none", "Require", "optional"},
	"grpc-node-id-from":                   {"", "x", "SAN", "san", "none"},
	"grpc-agent-token-file":               wrongFiles,
	"grpc-tls-min-version":                {"", "x", "1.1", "TLS1.3", "1.2"},
	"proxy-tls":                           {"", "x", "yes", "TRUE", "1", "0"},
	"proxy-ca-file":                       append([]string{"ca.pem"}, wrongFiles...),
	"proxy-cert-file":                     append([]string{"agent.pem"}, wrongFiles...),
	"proxy-key-file":                      append([]string{"agent.key"}, wrongFiles...),
	"proxy-server-name":                   {"proxy", "a b", "http://h"},
	"proxy-tls-min-version":               {"", "x", "1.1", "TLS1.3", "1.2"},
	"proxy-token-file":                    wrongFiles,
	"prometheus-listen-addr":              wrongListenAddrs,
	"agent-heartbeat-timeout":             wrongDurations,
	"agent-cleanup-timeout":               append([]string{"30s", "29s"}, wrongDurations...),
	"http-read-timeout":                   wrongDurations,
	"http-write-timeout":                  wrongDurations,
	"heartbeat-interval":                  wrongDurations,
	"collect-timeout":                     append([]string{"10s", "1m"}, wrongDurations...),
	"poll-metrics-interval":               wrongDurations,
	"reconnect-interval":                  wrongDurations,
	"max-agents":                          append([]string{"1000001"}, wrongInts...),
	"grpc-max-msg-size":                   append([]string{"4MB", "524287", "1073741825"}, wrongInts...),
	"max-collections":                     append([]string{"10001"}, wrongInts...),
	"max-agent-series":                    append([]string{"0", "10000001"}, wrongInts...),
	"alertmanager-url":                    {"h", "h:1", "ftp://h", "http://", "http:///x", "http://h:0", "http://h?a=b", "http://h/#x", "http://a b"},
	"alertmanager-config-file":            {"x", "a\nb", "\xff", tooLong},
	"scrape-config-file":                  {"a\nb", "\xff", tooLong},
	"incident-max-nodes":                  append([]string{"200"}, wrongInts...),
	"keep-last":                           {"", "x", "-1s", "2h"},
	"external-url":                        {"h", "h:1", "ftp://h", "http://", "http:///x", "http://h:0", "http://h:x", "http://h?a=b", "http://h/#x", "//h", "http://a b"},
	"max-metrics-memory-usage-percentage": append([]string{"101", "10%"}, wrongInts...),
	"max-answers-memory-percentage":       append([]string{"101", "20%"}, wrongInts...),
	"query-timeout":                       wrongDurations,
	"query-max-samples":                   append([]string{"1000000001", "2e6"}, wrongInts...),
	"query-concurrency":                   append([]string{"1001"}, wrongInts...),
	"max-page-bytes":                      append([]string{"32MB", "1023", "1073741825"}, wrongInts...),
	"max-page-samples":                    append([]string{"10000001"}, wrongInts...),
	"max-sample-labels":                   append([]string{"129"}, wrongInts...),
	"max-label-bytes":                     append([]string{"65537"}, wrongInts...),
	"proxy-addr":                          {"", "localhost", ":17900", "h:0", "h:65536", "h:x", "http://h:1", "dns:///h:1", "a:1,b:2", "::1:1"},
	"node-id":                             {tooLong, "a\nb", "\xff"},
	"node-role":                           {"1a", "a b", "-a", "ä", "a.b", tooLong},
	"node-labels": {"", "a", "=b", "a=", "a=b,", "a=b,,c=d", "a=b,a=c", "a=\xff", tooLong + "=a", "a=" + tooLong,
		"__name__=x", labels(65)},
	"node-ip":                           {"x", "10.0.0", "10.0.0.1:1", "0.0.0.0", "::", "localhost"},
	"node-port":                         wrongPorts,
	"secondary-address":                 {"", "a", "a=b", "a=1.2.3.4", "=1.2.3.4:1", "a=1.2.3.4:0", "a=1.2.3.4:65536", "a=:1", "a=1.2.3:1", "a=::1:1", "a=1.2.3.4:+1"},
	"pod-name":                          {tooLong, "a\tb", "\xff"},
	"metrics-endpoint":                  {"", "h:1", "ftp://h", "http://", "http:///x", "http://h:0", "http://h:65536", "http://h:x", "//h/x", "http://a b/", tooLong},
	"poll-metrics-ports":                wrongPorts,
	"container-names":                   {"", tooLong, "a\nb", "\xff"},
	"host-telemetry":                    {"", "x", "yes", "TRUE", "1", "0"},
	"kernel-telemetry":                  {"", "x", "on", "AUTO", "true", "false"},
	"data-dir":                          {"", "data", "./data", "../data", "/a\nb", "/\xff", "/" + tooLong},
	"node-pid-file":                     {"node.pid", "./node.pid", "/a\nb", "/\xff", "/" + tooLong},
	"collect-config":                    {"", "x", "yes", "TRUE", "1", "0"},
	"node-config-file":                  {"", "node.yaml", "./node.yaml", "/a\nb", "/\xff", "/" + tooLong},
	"cluster-state-ports":               {"", "x", "0", "-1", "65536", "1.5", "1,", "1,,2", "1 2"},
	"cluster-state-poll-interval":       wrongDurations,
	"lifecycle-port":                    {"", "x", "-1", "65536", "1.5", "1,2"},
	"lifecycle-report-dir":              {"reports", "./reports", "/a\nb", "/\xff", "/" + tooLong},
	"lifecycle-cache-ttl":               wrongDurations,
	"node-process":                      {"/bin/node", "a/b", "a\nb", "\xff", tooLong},
	"storage-dir":                       {"a\nb", "\xff", tooLong},
	"storage-retention-time":            {"", "x", "0", "0s", "-1h", "72", "59s", "10y1s", "3 days", "1M", "99999999999h", "1d1w"},
	"storage-retention-size":            {"", "x", "0", "0B", "-1GiB", "512", "15MiB", "2PiB", "1kB", "512 MiB", "512M", "512mb", "99999999EiB", "1e3MiB"},
	"storage-sync-interval":             {"", "x", "0", "-1s", "10", "99ms", "11m", "1d"},
	"storage-min-free":                  {"", "x", "%", "5", "-1%", "51%", "50.1%", "NaN%", "Inf%", "5 %", "5%%", "0.05"},
	"log-level":                         {"", "x", "INFO", "warning", "fatal"},
	"log-format":                        {"", "x", "JSON", "logfmt"},
	"crash-source-dir":                  {"crash", "./crash", "/a\nb", "/\xff", "/" + tooLong},
	"max-crash-artifacts":               append([]string{"257"}, wrongInts...),
	"node-log-file":                     {"node.log", "./node.log", "/a\nb", "/\xff", "/" + tooLong},
	"pressure-profiler-enabled":         {"", "x", "yes", "TRUE", "1", "0"},
	"pressure-profiler-trigger-percent": append([]string{"101", "75%"}, wrongInts...),
	"pressure-profiler-cooldown":        wrongDurations,
	"pressure-profiler-dir":             {"a\nb", "\xff", tooLong},
	"pressure-profiler-max-artifacts":   append([]string{"1001"}, wrongInts...),
	"pressure-profiler-max-disk-bytes":  append([]string{"512MiB", "1048575", "1099511627777"}, wrongInts...),
	"pressure-profiler-pprof-port":      wrongPorts,
	"incidents":                         {"", "x", "yes", "TRUE", "1", "0"},
	"builtin-rules":                     {"", "x", "yes", "TRUE", "1", "0"},
	"allow-remote-actions":              {"", "x", "yes", "TRUE", "1", "0"},
	"rule-file":                         {"", "/nothing/rules.yaml", "/x[", "a\nb", "\xff", tooLong, "testdata/versions.prom"},
	"incident-before":                   {"", "x", "-1s", "10", "61m"},
	"incident-after":                    {"", "x", "-1s", "10", "9s", "61m", "15m"},
	"incident-cooldown":                 {"", "x", "-1s", "10", "121m"},
	"incident-max-duration":             {"", "x", "0", "-1s", "10", "59s", "121m"},
	"incident-max-count":                append([]string{"10001"}, wrongInts...),
	"incident-retention-size":           {"", "x", "0", "0B", "-1GiB", "512", "15MiB", "2PiB", "1kB"},
	"config":                            wrongFiles,
	"web-config-file":                   {"a\nb", "\xff", tooLong},
	"bearer-token-file":                 {"a\nb", "\xff", tooLong},
	"http-operator":                     {"", "a\nb", "\xff", tooLong, "alice"},
	"pprof-endpoint":                    {"h:1", "ftp://h", "http://", "http:///x", "http://h:0", "http://h:65536", "http://h?a=b", "//h/x", "http://a b/", tooLong},
}

func labels(n int) string {
	var pairs []string
	for i := range n {
		pairs = append(pairs, "l"+strconv.Itoa(i)+"=v")
	}
	return strings.Join(pairs, ",")
}

// wrong requires that the program says in one line on stderr that usage is wrong,
// with the words, prints nothing else, and runs nothing.
func wrong(t *testing.T, o outcome, words ...string) {
	t.Helper()
	require.Equal(t, exitUsage, o.code, "exit code; %s%s", o.stderr, o.stdout)
	require.Nil(t, o.config)
	require.Empty(t, o.stdout)
	require.Equal(t, 1, strings.Count(o.stderr, "\n"), o.stderr)
	require.True(t, strings.HasSuffix(o.stderr, "\n"))
	require.True(t, strings.HasPrefix(o.stderr, "fodc"), o.stderr)
	require.Less(t, len(o.stderr), 800)
	for _, w := range words {
		require.Contains(t, o.stderr, w)
	}
}

func TestWrongValueOfEachFlag(t *testing.T) {
	for _, cmd := range []command{agentCommand(Runners{}), proxyCommand(Runners{}), standaloneCommand(Runners{})} {
		for _, o := range slices.Concat(cmd.options, logOptions(&logConfig{})) {
			values := wrongValues[o.name]
			require.NotEmpty(t, values, "no wrong value is tested for --%s", o.name)
			var base []string
			for name, value := range required[cmd.name] {
				if name != o.name {
					base = append(base, "--"+name, value)
				}
			}
			for _, value := range values {
				shown := value
				if o.name == "node-labels" {
					shown = "" // one of its pairs is shown
				}
				given := []string{"--" + o.name, value}
				if o.isBool {
					given = []string{"--" + o.name + "=" + value}
				}
				args := slices.Concat([]string{cmd.name}, base, given)
				wrong(t, run(t, nil, nil, args...), "fodc "+cmd.name+": --"+o.name+" ", begin(shown), ": ")

				args = append([]string{cmd.name}, base...)
				if value != "" && !o.envList {
					wrong(t, run(t, nil, []string{o.envVar() + "=" + value}, args...),
						"fodc "+cmd.name+": "+o.envVar()+" ", begin(shown), ": ")
				}
			}
		}
	}
}

// begin is what an error shows at least of a value.
func begin(value string) string {
	quoted := strconv.Quote(value)
	quoted = quoted[:len(quoted)-1]
	return quoted[:min(len(quoted), maxShownRunes)]
}

func TestWrongListInTheEnvironment(t *testing.T) {
	env := func(v string) outcome { return run(t, nil, []string{v}, "agent", "--node-id", "n", "--node-role", "r") }
	wrong(t, env("FODC_POLL_METRICS_PORTS=1 x"), `FODC_POLL_METRICS_PORTS "x": `)
	wrong(t, env("FODC_METRICS_ENDPOINT=http://a ftp://b"), `FODC_METRICS_ENDPOINT "ftp://b": `)
	wrong(t, env("FODC_PROXY_ADDR=a:1 b"), `FODC_PROXY_ADDR "b": `)
}

func TestWrongTogether(t *testing.T) {
	agent := func(words string, more ...string) {
		t.Helper()
		wrong(t, run(t, nil, nil, append([]string{"agent", "--node-id", "n", "--node-role", "r"}, more...)...), words)
	}
	agent(`--container-names "a b": must be given once for each endpoint: names 2, endpoints 1`,
		"--container-names", "a", "--container-names", "b")
	agent(`--container-names "a": `, "--container-names", "a", "--metrics-endpoint", "http://a", "--metrics-endpoint", "http://b")
	agent(`--container-names "": `, "--container-names", "a", "--container-names", "", "--poll-metrics-ports", "1", "--poll-metrics-ports", "2")
	agent(`--metrics-endpoint "http://a": is given twice`, "--metrics-endpoint", "http://a", "--metrics-endpoint", "http://a")
	agent(`--metrics-endpoint "http://127.0.0.1:1/metrics": is given twice`,
		"--metrics-endpoint", "http://127.0.0.1:1/metrics", "--poll-metrics-ports", "1")
	agent(`--proxy-addr "a:1": is given twice`, "--proxy-addr", "a:1", "--proxy-addr", "a:1")
	agent(`--secondary-address "a=[::1]:2": `, "--secondary-address", "a=[::1]:1", "--secondary-address", "a=[::1]:2")
	agent(`--node-labels "a=c": `, "--node-labels", "a=b", "--node-labels", "a=c")
	agent(`--proxy-addr "p17:1": is one too many: at most 16`, repeat("--proxy-addr", "p", ":1", 17)...)
	agent(`--metrics-endpoint "http://h/65": is one too many: at most 64`, repeat("--metrics-endpoint", "http://h/", "", 65)...)
	agent(`--cluster-state-ports "1": is given twice`, "--cluster-state-ports", "1,2,1")
	agent(`--cluster-state-ports "17": is one too many: at most 16`, "--cluster-state-ports", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17")
	agent(`--data-dir "/a": is given twice`, "--data-dir", "/a", "--data-dir", "/a")
	agent(`--data-dir "/d17": is one too many: at most 16`, repeat("--data-dir", "/d", "", 17)...)
	agent(`--crash-source-dir "/a": is given twice`, "--crash-source-dir", "/a", "--crash-source-dir", "/a")
	agent(`--crash-source-dir "/d17": is one too many: at most 16`, repeat("--crash-source-dir", "/d", "", 17)...)
	agent(`--node-log-file "/d17": is one too many: at most 16`, repeat("--node-log-file", "/d", "", 17)...)
	agent(`stray argument "false"`, "--host-telemetry", "false")
	agent(`--pressure-profiler-dir "/a/../b": must differ from --storage-dir`, "--pressure-profiler-dir", "/a/../b", "--storage-dir", "/b/")
	agent(`at most 64 names`, repeat("--secondary-address", "a", "=[::1]:1", 65)...)

	wrong(t, run(t, nil, nil, "agent", "--node-role", "r"), "--node-id is missing", "--pod-name")
	wrong(t, run(t, nil, nil, "agent", "--node-id", "n"), "--node-role is missing", "--cluster-state-ports")
	wrong(t, run(t, nil, nil, "standalone", "--node-role", ""), "--node-role is missing")

	proxy := func(words string, args ...string) {
		t.Helper()
		for _, cmd := range []string{"proxy", "standalone"} {
			wrong(t, run(t, nil, nil, append([]string{cmd}, args...)...), words)
		}
	}
	proxy(`--agent-cleanup-timeout "2m": must be greater than --agent-heartbeat-timeout, which is 2m0s`,
		"--agent-cleanup-timeout", "2m", "--agent-heartbeat-timeout", "2m")
	proxy(`--heartbeat-interval "30s": must be less than --agent-heartbeat-timeout, which is 30s`, "--heartbeat-interval", "30s")
	proxy(`--heartbeat-interval "10s": must be less than --agent-heartbeat-timeout, which is 9s`, "--agent-heartbeat-timeout", "9s")
	proxy(`--heartbeat-interval "100ms": must be less than --agent-heartbeat-timeout, which is 900ms (agents are told whole seconds, at least 1s)`,
		"--heartbeat-interval", "100ms", "--agent-heartbeat-timeout", "900ms")
	proxy(`--collect-timeout "5s": must be less than --http-write-timeout, which is 5s`, "--http-write-timeout", "5s")
	proxy(`--http-listen-addr "h:1": must differ from --grpc-listen-addr`, "--grpc-listen-addr", "h:1", "--http-listen-addr", "h:1")
	wrong(t, run(t, nil, nil, "standalone", "--prometheus-listen-addr", ":17900"),
		`--prometheus-listen-addr ":17900": must differ from --grpc-listen-addr`)
}

func repeat(flag, before, after string, n int) []string {
	var args []string
	for i := range n {
		args = append(args, flag, before+strconv.Itoa(i+1)+after)
	}
	return args
}

func TestPasswordInAnEndpointIsNotShown(t *testing.T) {
	o := run(t, nil, nil, "standalone", "--metrics-endpoint", "http://u:secret@h/x")
	wrong(t, o, "--metrics-endpoint")
	require.NotContains(t, o.stderr, "secret")
}

// What is wrong is told without the secrets that are in it.
func TestSecretsInWrongValuesAreNotShown(t *testing.T) {
	f := func(words string, environ []string, args ...string) {
		t.Helper()
		o := run(t, nil, environ, args...)
		wrong(t, o, words)
		require.NotContains(t, o.stderr, "hunter2")
	}
	f(`--metrics-endpoint "http://u:***@h:x/y"`, nil, "standalone", "--metrics-endpoint", "http://u:hunter2@h:x/y")
	f(`FODC_METRICS_ENDPOINT "ftp://u:***@h"`, []string{"FODC_METRICS_ENDPOINT=ftp://u:hunter2@h"}, "standalone")
	f(`--metrics-endpoint "http://h/?token=***": differs from another one in a secret alone`, nil, "standalone",
		"--metrics-endpoint", "http://h/?token=hunter2", "--metrics-endpoint", "http://h/?token=hunter23")
	f(`--external-url "https://u:***@h"`, nil, "proxy", "--external-url", "https://u:hunter2@h")
	f(`--external-url "https://***@h"`, nil, "proxy", "--external-url", "https://hunter2@h")
	f(`--proxy-addr "http://u:***@h:1"`, nil, "agent", "--node-id", "n", "--node-role", "r", "--proxy-addr", "http://u:hunter2@h:1")
	f(`stray argument "http://u:***@h"`, nil, "proxy", "http://u:hunter2@h")
	f(`stray argument "password=***"`, nil, "proxy", "password=hunter2")
}

func TestWrongCommandLine(t *testing.T) {
	f := func(words string, args ...string) {
		t.Helper()
		wrong(t, run(t, nil, nil, args...), words)
	}
	f("agent, proxy, standalone, journal, query, incidents, rules, check, healthcheck, view, completion or man")
	f(`unknown command "x"`, "x")
	f(`unknown command ""`, "")
	f(`unknown command "x\ny"`, "x\ny")
	f(`unknown command "x"`, "help", "x")
	f(`unknown command "proxies"`, "--log-level", "info", "proxies", "--max-agents", "1")
	f(`unknown flag "--x"`, "--x", "proxy")
	f(`unknown flag "--x"`, "help", "--x")
	f(`unknown flag "--x\ny"`, "proxy", "--x\ny=1")
	f(`unknown flag "--proxy-addr"`, "standalone", "--proxy-addr", "h:1")
	f(`unknown flag "--max-agents"`, "agent", "--max-agents", "1")
	f("--max-agents needs a value", "proxy", "--max-agents")
	f("---x", "proxy", "---x")
	f(`"x" for -help`, "proxy", "--help=x")
	f(`stray argument "x"`, "proxy", "x")
	f(`stray argument ""`, "proxy", "")
	f(`stray argument "help"`, "agent", "help")
	f(`stray argument "x"`, "proxy", "--max-agents", "1", "x", "--max-agents", "0")
	f(`stray argument "x"`, "proxy", "--", "x")
}
