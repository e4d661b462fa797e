package kubetest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"
)

// database is two StatefulSets with the labels and the names of containers and ports that BanyanDB's chart has, and one of something else.
const database = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: banyandb-NAME, labels: {app.kubernetes.io/name: banyandb, app.kubernetes.io/component: ROLE}}
spec:
  serviceName: banyandb
  replicas: 2
  selector: {matchLabels: {app.kubernetes.io/name: banyandb, app.kubernetes.io/component: ROLE}}
  template:
    metadata: {labels: {app.kubernetes.io/name: banyandb, app.kubernetes.io/component: ROLE}}
    spec:
      initContainers: [{name: first, image: "busybox:1"}]
      containers:
        - name: ROLE
          image: registry.example/banyandb:0.11.0
          args: [ROLE]
          ports: [{name: grpc, containerPort: 17912}, {name: http, containerPort: 17913}, {name: pprof, containerPort: 6060}, {name: observebility, containerPort: 2121}]
          volumeMounts: [{name: data, mountPath: /tmp/measure, subPath: measure}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 50Gi}}}
`

func databases(roles ...string) string {
	var all []string
	for _, role := range roles {
		all = append(all, databaseOf(role))
	}
	return strings.Join(all, "---\n")
}

// databaseOf is the StatefulSet of a role. Those of data are named after their tier, too.
func databaseOf(role string) string {
	name := role
	if role == "data" {
		name = "data-hot"
	}
	return strings.NewReplacer("NAME", name, "ROLE", role).Replace(database)
}

// withAgents builds an overlay as overlays/banyandb is, with further components, around a database.
func withAgents(t *testing.T, components ...string) string {
	t.Helper()
	top := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(top, "components"), os.DirFS(kustomized+"/components")))
	dir := filepath.Join(top, "overlays", "banyandb")
	require.NoError(t, os.CopyFS(dir, os.DirFS(kustomized+"/overlays/banyandb")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "banyandb.yaml"), []byte(databases("data", "liaison", "etcd")), 0o644))
	name := filepath.Join(dir, "kustomization.yaml")
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	for _, c := range components {
		text = append(text, "  - ../../components/"+c+"\n"...)
	}
	require.NoError(t, os.WriteFile(name, text, 0o644))
	out, err := build(dir)
	require.NoError(t, err)
	return out
}

func TestAgentsBesideTheDatabase(t *testing.T) {
	for _, components := range [][]string{nil, {"sidecar-kernel-telemetry"}, {"sidecar-crashes"}, {"sidecar-claim"}, {"sidecar-tls"},
		{"sidecar-kernel-telemetry", "sidecar-crashes", "sidecar-claim", "sidecar-tls"}} {
		t.Run(strings.Join(components, " "), func(t *testing.T) {
			text := withAgents(t, components...)
			keep(t, text)
			o := mustDecode(t, text)
			require.Empty(t, flaws(o))
			requireLeast(t, o)
			requireRuns(t, o)
			for _, w := range o.workloads() {
				requireBeside(t, w, components)
			}
		})
	}
}

// requireBeside requires an agent beside the database, which is as it was but for the mount of crash artifacts.
func requireBeside(t *testing.T, w workload, components []string) {
	t.Helper()
	spec := w.template.Spec
	if strings.HasSuffix(w.name, "etcd") {
		require.Empty(t, w.ours(), "an agent beside something else")
		return
	}
	require.Len(t, w.ours(), 1)
	agent := w.ours()[0]
	require.Equal(t, core.ContainerRestartPolicyAlways, *agent.RestartPolicy)
	require.True(t, *spec.ShareProcessNamespace)
	require.Equal(t, "true", w.template.Labels["fodc/agent"])
	require.Len(t, spec.InitContainers, 2)
	require.Len(t, spec.Containers, 1)
	require.Equal(t, int32(2121), w.port("observebility"))
	require.Equal(t, []string{"http://127.0.0.1:2121/metrics"}, flagValues(agent, "metrics-endpoint"))
	require.Equal(t, "data", w.claims[0].Name)
	mounts := map[string]string{}
	for _, m := range spec.Containers[0].VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	require.Equal(t, "/tmp/measure", mounts["data"])
	crashes := variable(agent, "FODC_CRASH_SOURCE_DIR")
	require.Equal(t, strings.Contains(strings.Join(components, " "), "crashes"), crashes != "")
	require.Equal(t, crashes, mounts["fodc-crashes"])
	require.Equal(t, strings.Contains(strings.Join(components, " "), "claim"), len(w.claims) == 2)
	require.Equal(t, strings.Contains(strings.Join(components, " "), "tls"), variable(agent, "FODC_PROXY_TLS") == "true")
}

// patched adds a database with the agents that the chart's ConfigMap describes, if it has one: what kubectl patch makes of it.
func patched(t *testing.T, o objects) objects {
	t.Helper()
	for _, object := range o {
		if c, ok := object.(*core.ConfigMap); ok {
			out, err := patch(databaseOf("data"), c.Data["patch.yaml"])
			require.NoError(t, err)
			return append(o, mustDecode(t, out)...)
		}
	}
	return o
}

// patch is kubectl patch of a StatefulSet with a patch file.
func patch(object, patch string) (string, error) {
	before, err := yaml.YAMLToJSON([]byte(object))
	if err != nil {
		return "", err
	}
	change, err := yaml.YAMLToJSONStrict([]byte(patch))
	if err != nil {
		return "", err
	}
	after, err := strategicpatch.StrategicMergePatch(before, change, apps.StatefulSet{})
	if err != nil {
		return "", err
	}
	text, err := yaml.JSONToYAML(after)
	return string(text), err
}

// The agent of the chart's patch is that of the overlay.
func TestPatchIsTheOverlay(t *testing.T) {
	for values, components := range map[string][]string{"": nil, "agent: {kernelTelemetry: {enabled: true}}": {"sidecar-kernel-telemetry"}} {
		text, _ := renderValues(t, values)
		chart := patched(t, mustDecode(t, text))
		overlay := mustDecode(t, withAgents(t, components...))
		const name = "StatefulSet banyandb-data-hot"
		require.Equal(t, plain(t, chart)[name], plain(t, overlay)[name])
	}
}

// A patch that is applied twice, or after an upgrade, changes nothing more.
func TestPatchTwice(t *testing.T) {
	files, err := render("fodc", "n", nil)
	require.NoError(t, err)
	for _, object := range mustDecode(t, manifest(files)) {
		if c, ok := object.(*core.ConfigMap); ok {
			once, err := patch(databaseOf("data"), c.Data["patch.yaml"])
			require.NoError(t, err)
			twice, err := patch(once, c.Data["patch.yaml"])
			require.NoError(t, err)
			require.Equal(t, once, twice)
			return
		}
	}
	require.Fail(t, "the chart has no patch")
}

// A pod that has an agent of this name already, as with the agents of BanyanDB's own chart, is refused by the API.
func TestPatchBesideAnotherAgent(t *testing.T) {
	files, err := render("fodc", "n", nil)
	require.NoError(t, err)
	for _, object := range mustDecode(t, manifest(files)) {
		if c, ok := object.(*core.ConfigMap); ok {
			other := strings.Replace(databaseOf("data"), "      containers:\n", "      containers:\n        - {name: fodc-agent, image: other}\n", 1)
			out, err := patch(other, c.Data["patch.yaml"])
			require.NoError(t, err)
			require.Contains(t, flaws(mustDecode(t, out)), "StatefulSet banyandb-data-hot: two containers are called fodc-agent")
			return
		}
	}
	require.Fail(t, "the chart has no patch")
}
