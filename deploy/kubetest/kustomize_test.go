package kubetest

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the generated parts of README.md")

// overlays are the folders that kubectl apply -k takes, and the values of the chart that give the same; "-": none do.
var overlays = map[string]string{
	"base":                      "agent: {mode: none}",
	"overlays/daemonset":        daemonSet,
	"overlays/daemonset-kernel": "agent: {mode: daemonset, nodeRole: datanode-hot, kernelTelemetry: {enabled: true}}",
	"overlays/ephemeral":        "agent: {mode: none}\nproxy: {storage: {type: emptyDir}}",
	"overlays/secure":           "-",
}

func TestOverlays(t *testing.T) {
	for _, dir := range slices.Sorted(maps.Keys(overlays)) {
		t.Run(dir, func(t *testing.T) {
			text, err := build(filepath.Join(kustomized, dir))
			require.NoError(t, err)
			keep(t, text)
			o := mustDecode(t, text)
			require.Empty(t, flaws(o))
			requireLeast(t, o)
			requireRuns(t, o)
			if overlays[dir] == "-" {
				return
			}
			chart, _ := renderValues(t, overlays[dir])
			require.Equal(t, plain(t, mustDecode(t, chart)), plain(t, o), "the chart, and the overlay")
		})
	}
	// Each folder is tried, here or in banyandb_test.go.
	folders, err := filepath.Glob(kustomized + "/overlays/*")
	require.NoError(t, err)
	require.Len(t, folders, len(overlays)) // base is none of them, overlays/banyandb is
}

// plain returns objects by kind and name, without what the chart has and the overlays cannot have: names of the release and the
// chart, and defaults of the API that only one of both says.
func plain(t *testing.T, o objects) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, object := range o {
		access, err := meta.Accessor(object)
		require.NoError(t, err)
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		require.NoError(t, err)
		clean(content)
		text, err := yaml.Marshal(content)
		require.NoError(t, err)
		all[object.GetObjectKind().GroupVersionKind().Kind+" "+access.GetName()] = string(text)
	}
	return all
}

func clean(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			switch {
			case key == "imagePullPolicy", key == "status", key == "creationTimestamp", key == "scheme" && inner == "HTTP", key == "type" && inner == "ClusterIP",
				strings.HasPrefix(key, "helm.sh/"), key == "app.kubernetes.io/instance", key == "app.kubernetes.io/version", key == "app.kubernetes.io/managed-by":
				delete(v, key)
			default:
				clean(inner)
			}
		}
		if env, ok := v["env"].([]any); ok { // the order has no meaning where no variable uses another
			slices.SortFunc(env, byText)
		}
		// Nor has that of flags of different names.
		if args, ok := v["args"].([]any); ok {
			slices.SortStableFunc(args[1:], func(a, b any) int {
				first, _, _ := strings.Cut(a.(string), "=")
				second, _, _ := strings.Cut(b.(string), "=")
				return strings.Compare(first, second)
			})
		}
	case []any:
		for _, inner := range v {
			clean(inner)
		}
		if len(v) > 1 {
			if m, ok := v[0].(map[string]any); ok && m["mountPath"] != nil {
				slices.SortFunc(v, byText)
			} else if ok && (m["emptyDir"] != nil || m["hostPath"] != nil) {
				slices.SortFunc(v, byText)
			}
		}
	}
}

func byText(a, b any) int {
	first, _ := json.Marshal(a)
	second, _ := json.Marshal(b)
	return strings.Compare(string(first), string(second))
}

// Certificates, and a proxy without a claim, go together in either order: neither takes the other's volume away.
func TestComponentsOfTheProxyTogether(t *testing.T) {
	for _, components := range [][]string{{"ephemeral", "tls"}, {"tls", "ephemeral"}} {
		top := t.TempDir()
		require.NoError(t, os.CopyFS(top, os.DirFS(kustomized)))
		dir := filepath.Join(top, "overlays", "both")
		require.NoError(t, os.Mkdir(dir, 0o755))
		text := "resources: [../../base]\ncomponents: [../../components/daemonset"
		for _, c := range components {
			text += ", ../../components/" + c
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text+"]\n"), 0o644))
		out, err := build(dir)
		require.NoError(t, err)
		o := mustDecode(t, out)
		require.Empty(t, flaws(o), "%v", components)
		for _, w := range o.workloads() {
			if strings.HasPrefix(w.name, "StatefulSet") {
				require.Empty(t, w.claims)
				require.Len(t, w.template.Spec.Volumes, 2)
			}
		}
	}
}
