package kubetest

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const (
	daemonSet = "agent: {mode: daemonset, nodeRole: datanode-hot}\n"
	secured   = "proxy: {tls: {secretName: fodc-proxy}, web: {secretName: fodc-proxy, tls: true}}\n"
)

// charts are the values that the chart is tried with, and what its objects must have.
var charts = []struct {
	name, values string
	has, hasNot  []string
}{
	{name: "defaults", has: []string{"kind: ConfigMap", "--proxy-addr=fodc-proxy:17900", "kind: PodDisruptionBudget", "kind: NetworkPolicy", "volumeClaimTemplates", "egress:\n    []"},
		hasNot: []string{"ServiceMonitor", "DaemonSet", "grpc-tls"}},
	{name: "no agents", values: "agent: {mode: none}", hasNot: []string{"ConfigMap", "DaemonSet"}},
	{name: "daemonset", values: daemonSet, has: []string{"kind: DaemonSet", "--metrics-endpoint=http://$(HOST_IP):2121/metrics"}, hasNot: []string{"hostPID", "--node-process"}},
	{name: "daemonset with kernel telemetry", values: "agent: {mode: daemonset, nodeRole: datanode-hot, kernelTelemetry: {enabled: true}}", has: []string{"hostPID: true", "BPF, PERFMON", "--node-process=banyand"}},
	{name: "sidecar with kernel telemetry", values: "agent: {kernelTelemetry: {enabled: true}}", has: []string{"BPF, PERFMON"}},
	{name: "several proxies", values: "proxy: {replicas: 2}\n", has: []string{"--proxy-addr=fodc-proxy-0.fodc-proxy-pods:17900", "--proxy-addr=fodc-proxy-1.fodc-proxy-pods:17900", "Parallel"}},
	{name: "secured sidecar", values: secured + "agent: {tls: {secretName: fodc-agent}}\nserviceMonitor: {enabled: true, tlsConfig: {serverName: fodc-proxy}, authorization: {credentials: {name: t, key: token}}}",
		has: []string{"--grpc-tls-cert-file=/etc/fodc-grpc/proxy.crt", "--grpc-node-id-from=none", "scheme: HTTPS", "scheme: https", "--proxy-tls", "credentials:"}},
	{name: "secured daemonset", values: secured + "agent: {mode: daemonset, nodeRole: liaison, tls: {secretName: fodc-agent}}", has: []string{"fsGroup: 65532"}},
	{name: "secured, several proxies", values: "proxy: {replicas: 3, tls: {secretName: fodc-proxy, nodeIDFrom: san}}\nagent: {tls: {secretName: a}}", has: []string{"--proxy-server-name=fodc-proxy", "--grpc-node-id-from=san"}},
	{name: "tls without certificates of agents", values: "proxy: {tls: {secretName: p, clientAuth: false}}\nagent: {tls: {secretName: a}}", hasNot: []string{"client-ca-file", "node-id-from"}},
	{name: "servicemonitor", values: "serviceMonitor: {enabled: true, labels: {release: prometheus}, interval: 15s}", has: []string{"release: prometheus", "interval: 15s"}},
	{name: "emptyDir", values: "proxy: {storage: {type: emptyDir}}", has: []string{"sizeLimit: 8Gi"}, hasNot: []string{"volumeClaimTemplates"}},
	{name: "no storage", values: "proxy: {storage: {type: none}}\nagent: {storage: {type: none}}", hasNot: []string{"--storage-dir", "volumeMounts", "volumes:"}},
	{name: "claim of a class", values: "proxy: {storage: {storageClassName: fast, size: 20Gi, incidentRetentionSize: 15GiB}}", has: []string{"storageClassName: fast", "storage: 20Gi"}},
	{name: "large storage", values: "agent: {storage: {sizeLimit: 10Gi, retentionSize: 4GiB, incidentRetentionSize: 2GiB, pressureProfilerMaxBytes: 2147483648}}", has: []string{"disk-bytes=2147483648"}},
	{name: "alertmanager", values: "proxy: {alertmanager: {urls: ['http://alertmanager:9093']}}\nnetworkPolicy: {proxyEgress: [{to: [{namespaceSelector: {}}], ports: [{port: 9093}, {port: 53, protocol: UDP}]}]}", has: []string{"--alertmanager-url=http://alertmanager:9093", "port: 9093"}},
	{name: "no policies", values: "networkPolicy: {enabled: false}\nproxy: {podDisruptionBudget: {enabled: false}}", hasNot: []string{"NetworkPolicy", "PodDisruptionBudget"}},
	{name: "other namespaces", values: "networkPolicy: {agentNamespaces: [db], clientNamespaces: [a, b]}", has: []string{"kubernetes.io/metadata.name: db", "kubernetes.io/metadata.name: b"}, hasNot: []string{"monitoring"}},
	{name: "digest", values: "image: {digest: 'sha256:aa0000000000000000000000000000000000000000000000000000000000000a'}", has: []string{"registry.example/fodc@sha256:aa0"}},
	{name: "flags", values: "proxy: {extraArgs: [--keep-last=10m]}\nagent: {nodeRole: liaison, nodeLabels: 'zone=a,disk=nvme', extraArgs: [--cluster-state-ports=17912], metricsEndpoints: ['http://127.0.0.1:1/a', 'http://127.0.0.1:2/b']}\nlog: {level: debug, format: console}",
		has: []string{"--keep-last=10m", "--node-labels=zone=a,disk=nvme", "--log-level=debug", "--metrics-endpoint=http://127.0.0.1:2/b", "--cluster-state-ports=17912"}, hasNot: []string{"NODE_ROLE"}},
	{name: "mounts", values: "agent: {extraVolumeMounts: [{name: data, mountPath: /data, readOnly: true}], extraArgs: [--data-dir=/data], extraVolumes: [{name: data, emptyDir: {}}]}", has: []string{"mountPath: /data"}},
	{name: "scheduling", values: "imagePullSecrets: [{name: r}]\nproxy: {podAnnotations: {a: b}, nodeSelector: {c: d}, tolerations: [{key: e}], affinity: {podAntiAffinity: {}}, priorityClassName: f, service: {type: NodePort, annotations: {g: h}}}\nagent: {mode: daemonset, nodeRole: data, podAnnotations: {i: j}, nodeSelector: {k: l}, tolerations: [{operator: Exists}], priorityClassName: m}",
		has: []string{"a: b", "c: d", "key: e", "podAntiAffinity", "f\n", "NodePort", "g: h", "i: j", "k: l", "operator: Exists", "priorityClassName: m", "- name: r"}},
	{name: "name", values: "fullnameOverride: other", has: []string{"name: other-proxy", "--proxy-addr=other-proxy:17900"}, hasNot: []string{"name: fodc-proxy"}},
}

func TestChart(t *testing.T) {
	for _, c := range charts {
		t.Run(c.name, func(t *testing.T) {
			text, notice := renderValues(t, c.values)
			for _, has := range c.has {
				require.Contains(t, text, has)
			}
			for _, hasNot := range c.hasNot {
				require.NotContains(t, text, hasNot)
			}
			require.Contains(t, notice, "-n observed")
			keep(t, text)
			o := patched(t, mustDecode(t, text))
			require.Empty(t, flaws(o))
			requireLeast(t, o)
			requireRuns(t, o)
		})
	}
}

// Values that contradict each other, or that the schema does not have, are refused with their name.
func TestChartRefuses(t *testing.T) {
	for values, want := range map[string]string{
		"proxy: {web: {tls: true}}":                        "proxy.web.tls",
		"proxy: {tls: {secretName: p}}":                    "agent.tls.secretName is empty",
		"agent: {tls: {secretName: a}}":                    "proxy.tls.secretName is empty",
		"agent: {mode: daemonset}":                         "agent.nodeRole is empty",
		"proxy: {alertmanager: {urls: ['http://a:9093']}}": "networkPolicy.proxyEgress",
		"proxi: {}":                                       "proxi",
		"proxy: {replica: 2}":                             "replica",
		"proxy: {replicas: 0}":                            "replicas",
		"proxy: {replicas: two}":                          "replicas",
		"agent: {mode: deployment}":                       "mode",
		"agent: {resources: {requests: {memory: 1Mi}}}\n": "",
		"agent: {storage: {type: claim}}":                 "type",
		"agent: {storage: {retentionSize: 1 GB}}":         "retentionSize",
		"agent: {kernelTelemetry: {enabled: 'yes'}}":      "enabled",
		"image: {tag: latest}":                            "tag",
		"image: {digest: abc}":                            "digest",
		"agent: {extraArgs: [node-id]}":                   "extraArgs",
		"proxy: {resources: {limits: {memory: null}, requests: {memory: 1Gi}}}": "memory",
	} {
		var v map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(values), &v))
		_, err := render("fodc", "observed", v)
		if want == "" {
			require.NoError(t, err, values)
			continue
		}
		require.ErrorContains(t, err, want, values)
	}
}

// A release of another name has objects of that name, and no more than 63 characters in any.
func TestChartNames(t *testing.T) {
	for release, want := range map[string]string{"my-fodc": "my-fodc-proxy", "prod": "prod-fodc-proxy",
		strings.Repeat("a", 53): strings.Repeat("a", 35) + "-fodc-proxy"} {
		files, err := render(release, "n", nil)
		require.NoError(t, err)
		require.Contains(t, manifest(files), "name: "+want+"\n")
		for _, m := range regexp.MustCompile(`(?m)^ *(?:- )?name: (\S+)$`).FindAllStringSubmatch(manifest(files), -1) {
			require.LessOrEqual(t, len(m[1]), 63, m[1])
		}
		require.Empty(t, flaws(mustDecode(t, manifest(files))))
	}
}

func TestChartLints(t *testing.T) {
	for _, values := range []string{"{}", daemonSet} {
		var v map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(values), &v))
		for _, m := range lint.All(chartDir, v, "observed", true).Messages {
			require.LessOrEqual(t, m.Severity, support.InfoSev, m.Error())
		}
	}
}

// leaves calls f for each value, as in proxy.storage.size, with its comment. It knows values.yaml as it is written: two spaces a
// level, and a comment above each value.
func leaves(t *testing.T, f func(name, value, comment string)) {
	t.Helper()
	text, err := os.ReadFile(chartDir + "/values.yaml")
	require.NoError(t, err)
	line := regexp.MustCompile(`^( *)([A-Za-z]+):(.*)$`)
	var path []string
	comment, resources := "", ""
	for l := range strings.Lines(string(text)) {
		l = strings.TrimSuffix(l, "\n")
		if c, found := strings.CutPrefix(strings.TrimSpace(l), "# "); found {
			comment = strings.TrimSpace(comment + " " + c)
			continue
		}
		m := line.FindStringSubmatch(l)
		if m == nil {
			require.Empty(t, l)
			comment = ""
			continue
		}
		path = append(path[:len(m[1])/2:len(m[1])/2], m[2])
		value := strings.TrimSpace(m[3])
		switch {
		case len(path) > 1 && path[1] == "resources" && len(path) == 3:
			resources = strings.TrimSpace(resources + " " + m[2] + ": " + value)
			if m[2] == "limits" {
				f(strings.Join(path[:2], "."), "{"+strings.Replace(resources, "} limits", "}, limits", 1)+"}", comment)
				resources, comment = "", ""
			}
		case value != "":
			f(strings.Join(path, "."), value, comment)
			comment = ""
		case path[len(path)-1] != "resources":
			comment = ""
		}
	}
}

// The README has a row for each value. With -update it is written.
func TestChartReadme(t *testing.T) {
	var table strings.Builder
	rows := 0
	leaves(t, func(name, value, comment string) {
		require.NotEmpty(t, comment, "%s has no comment", name)
		rows++
		table.WriteString("| `" + name + "` | `" + strings.ReplaceAll(value, "|", `\|`) + "` | " + comment + " |\n")
	})
	require.Greater(t, rows, 40)
	want := readmeHead + table.String()
	if *update {
		require.NoError(t, os.WriteFile(chartDir+"/README.md", []byte(want), 0o644))
	}
	have, err := os.ReadFile(chartDir + "/README.md")
	require.NoError(t, err)
	require.Equal(t, want, string(have), "make kube-docs writes it")
}

// The schema has the same values as values.yaml, and no others.
func TestChartSchema(t *testing.T) {
	text, err := os.ReadFile(chartDir + "/values.schema.json")
	require.NoError(t, err)
	var schema property
	require.NoError(t, yaml.Unmarshal(text, &schema))
	var inSchema, inValues []string
	delete(schema.Properties, "global") // every chart has it
	schema.leaves("", func(name string) { inSchema = append(inSchema, name) })
	leaves(t, func(name, _, _ string) { inValues = append(inValues, name) })
	require.ElementsMatch(t, inValues, inSchema)
}

type property struct {
	Properties           map[string]property
	AdditionalProperties any
}

// leaves calls f for each value of a schema. An object whose names are free, or that is another API's, is one value.
func (p property) leaves(name string, f func(string)) {
	for key, inner := range p.Properties {
		at := strings.TrimPrefix(name+"."+key, ".")
		if len(inner.Properties) == 0 || key == "resources" {
			f(at)
			continue
		}
		inner.leaves(at, f)
	}
}

// What the API lets nobody change in a StatefulSet is the same for each number of proxies: otherwise an upgrade is refused.
func TestChartUpgradesTheNumberOfProxies(t *testing.T) {
	spec := func(values string) apps.StatefulSetSpec {
		text, _ := renderValues(t, values)
		for _, object := range mustDecode(t, text) {
			if s, ok := object.(*apps.StatefulSet); ok {
				fixed := s.Spec
				fixed.Replicas, fixed.Template = nil, core.PodTemplateSpec{}
				return fixed
			}
		}
		require.Fail(t, "there is no StatefulSet")
		return apps.StatefulSetSpec{}
	}
	require.Equal(t, spec(""), spec("proxy: {replicas: 3}"))
}
