package kubetest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	yamlreader "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const (
	chartDir   = "../helm/fodc"
	kustomized = "../kubernetes"
	notes      = "NOTES.txt"
)

// render returns the files that the chart gives, without those that are empty.
func render(release, namespace string, values map[string]any) (map[string]string, error) {
	return renderChart(chartDir, release, namespace, values)
}

func renderChart(dir, release, namespace string, values map[string]any) (map[string]string, error) {
	chart, err := loader.Load(dir)
	if err != nil {
		return nil, err
	}
	all, err := chartutil.ToRenderValues(chart, values, chartutil.ReleaseOptions{Name: release, Namespace: namespace, IsInstall: true}, nil)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, text := range files {
		if strings.TrimSpace(text) != "" && !strings.HasPrefix(filepath.Base(name), "_") {
			out[filepath.Base(name)] = text
		}
	}
	return out, nil
}

// manifest joins the rendered files to one text, without the notes.
func manifest(files map[string]string) string {
	var names []string
	for name := range files {
		if name != notes {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		b.WriteString("---\n" + files[name] + "\n")
	}
	return b.String()
}

func renderValues(t *testing.T, values string) (text, notice string) {
	t.Helper()
	var v map[string]any
	require.NoError(t, yaml.UnmarshalStrict([]byte(values), &v))
	files, err := render("fodc", "observed", v)
	require.NoError(t, err)
	return manifest(files), files[notes]
}

// build returns what kubectl kustomize gives for a folder.
func build(dir string) (string, error) {
	m, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return "", err
	}
	text, err := m.AsYaml()
	return string(text), err
}

// decode reads documents strictly: a field that the API does not have, or one that is there twice, is an error.
func decode(text string) ([]runtime.Object, error) {
	s := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(s), monitoring.AddToScheme(s)); err != nil {
		return nil, err
	}
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, s, s, json.SerializerOptions{Yaml: true, Strict: true})
	documents := yamlreader.NewYAMLReader(bufioReader(text))
	var objects []runtime.Object
	for {
		doc, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		var content any
		if err := yaml.Unmarshal(doc, &content); err == nil && content == nil {
			continue // only comments
		}
		object, _, err := decoder.Decode(doc, nil, nil)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
}

func mustDecode(t *testing.T, text string) objects {
	t.Helper()
	list, err := decode(text)
	require.NoError(t, err, "%s", text)
	require.NotEmpty(t, list)
	return objects(list)
}

// keep writes a manifest for make kube-check, which shows all of them to a validator with the schemas of a cluster.
func keep(t *testing.T, text string) {
	t.Helper()
	dir := os.Getenv("FODC_KUBE_MANIFESTS")
	if dir == "" {
		return
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	var known [][]byte
	for doc := range strings.SplitSeq(text, "\n---\n") {
		if !strings.Contains(doc, "monitoring.coreos.com") { // not a part of Kubernetes
			known = append(known, []byte(doc))
		}
	}
	name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()) + ".yaml"
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), bytes.Join(known, []byte("\n---\n")), 0o644))
}

// TestDecodeIsStrict shows the decoder what it must refuse.
func TestDecodeIsStrict(t *testing.T) {
	good := "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}]}\n"
	list, err := decode("# comment\n---\n" + good + "---\n" + good)
	require.NoError(t, err)
	require.Len(t, list, 2)
	for _, bad := range []string{
		strings.Replace(good, "ports", "prots", 1),
		good + "spec: {}\n",
		strings.Replace(good, "port: 1", "port: one", 1),
		strings.Replace(good, "Service", "Servant", 1),
	} {
		_, err := decode(bad)
		require.Error(t, err, bad)
	}
}
