package kubetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/strvals"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const (
	stateVariable   = "KUBETEST_STATE"   // the directory in which helm and kubectl of the test keep what is installed
	openapiVariable = "KUBETEST_OPENAPI" // docs/openapi.yaml
)

// TestMain is helm and kubectl, too: the test of the documentation runs this program under their names.
func TestMain(m *testing.M) {
	var err error
	switch filepath.Base(os.Args[0]) {
	case "helm":
		err = asHelm(os.Args[1:], os.Getenv(stateVariable))
	case "kubectl":
		err = asKubectl(os.Args[1:], os.Getenv(stateVariable))
	default:
		code := m.Run()
		if buildDir != "" {
			err = os.RemoveAll(buildDir)
		}
		if code != 0 {
			os.Exit(code)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// asHelm does what the documentation asks helm for: install, upgrade and get manifest.
func asHelm(args []string, state string) error {
	var words []string
	values := map[string]any{}
	namespace, reuse := "", false
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--create-namespace":
		case args[i] == "--reset-then-reuse-values":
			reuse = true
		case args[i] == "-n" && i+1 < len(args):
			i++
			namespace = args[i]
		case args[i] == "--set" && i+1 < len(args):
			i++
			if err := strvals.ParseInto(args[i], values); err != nil {
				return err
			}
		case strings.HasPrefix(args[i], "-"):
			return fmt.Errorf("helm: unknown flag %q", args[i])
		default:
			words = append(words, args[i])
		}
	}
	switch {
	case namespace == "":
		return errors.New("helm: -n is missing")
	case strings.Join(words, " ") == "get manifest banyandb":
		fmt.Print(databases("data", "liaison"))
		return nil
	case len(words) == 3 && (words[0] == "install" || words[0] == "upgrade"):
		before := filepath.Join(state, "values")
		if err := keepValues(before, values, words[0] == "upgrade", reuse); err != nil {
			return err
		}
		files, err := renderChart(words[2], words[1], namespace, values)
		if err != nil {
			return err
		}
		return install(manifest(files), filepath.Join(state, "release"))
	}
	return fmt.Errorf("helm: unknown command %q", words)
}

// keepValues writes the values that a release has. An upgrade that says other values forgets those of before, as helm does, unless
// it reuses them: one that forgets any is an error.
func keepValues(name string, values map[string]any, upgrade, reuse bool) error {
	if upgrade {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var before map[string]any
		if err := yaml.Unmarshal(text, &before); err != nil {
			return err
		}
		for key := range before {
			if _, said := values[key]; !said && !reuse {
				return fmt.Errorf("helm: the upgrade forgets the value %q: --reset-then-reuse-values is missing", key)
			}
		}
		if reuse {
			chartutil.CoalesceTables(values, before)
		}
	}
	text, err := yaml.Marshal(values)
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}

// asKubectl does what the documentation asks kubectl for.
func asKubectl(args []string, state string) error {
	command := strings.Join(args, " ")
	f := func(pattern string) []string {
		return regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(command)
	}
	if m := f(`apply -n observed -k (\S+)`); m != nil {
		text, err := build(m[1])
		if err != nil {
			return err
		}
		return install(text, filepath.Join(state, filepath.Base(m[1])))
	}
	if m := f(`get configmap -n observed (\S+) -o jsonpath=\{\.data\.patch\\\.yaml\}`); m != nil {
		return printPatch(m[1], filepath.Join(state, "release"))
	}
	if m := f(`patch statefulset -n observed (banyandb-[a-z-]+) --patch-file (\S+)`); m != nil {
		change, err := os.ReadFile(m[2])
		if err != nil {
			return err
		}
		for _, document := range strings.Split(databases("data", "liaison"), "---\n") {
			if strings.Contains(document, "metadata: {name: "+m[1]+",") {
				text, err := patch(document, string(change))
				if err != nil {
					return err
				}
				return install(text, filepath.Join(state, "patched-"+m[1]))
			}
		}
		return fmt.Errorf("there is no StatefulSet %q", m[1])
	}
	if m := f(`port-forward -n observed service/(\S+) 17901`); m != nil {
		return findService(m[1], filepath.Join(state, "release"))
	}
	if f(`label node \S+ fodc/agent=true`) != nil {
		return nil
	}
	return fmt.Errorf("kubectl: unknown command %q", command)
}

// install keeps a manifest that is free of flaws.
func install(text, name string) error {
	o, err := decode(text)
	if err != nil {
		return err
	}
	if found := flaws(o); len(found) > 0 {
		return errors.New(strings.Join(found, "\n"))
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

func installed(name string) (objects, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return decode(string(text))
}

func printPatch(name, release string) error {
	o, err := installed(release)
	for _, object := range o {
		if c, ok := object.(*core.ConfigMap); ok && c.Name == name {
			fmt.Print(c.Data["patch.yaml"])
			return nil
		}
	}
	return errors.Join(err, fmt.Errorf("there is no ConfigMap %q", name))
}

func findService(name, release string) error {
	o, err := installed(release)
	for _, object := range o {
		if s, ok := object.(*core.Service); ok && s.Name == name && s.Spec.Ports[1].Port == 17901 {
			return nil
		}
	}
	return errors.Join(err, fmt.Errorf("there is no Service %q with the port 17901", name))
}

var shellBlocks = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestDocs runs the commands of docs/kubernetes.md as they stand there, one after the other, in a copy of deploy/, and then those of
// docs/upgrade.md for Kubernetes.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/kubernetes.md")
	require.NoError(t, err)
	script := "set -euo pipefail\n"
	for _, m := range shellBlocks.FindAllStringSubmatch(string(page), -1) {
		script += m[1]
	}
	upgrade, err := os.ReadFile("../../docs/upgrade.md")
	require.NoError(t, err)
	upgrades := 0
	for _, m := range shellBlocks.FindAllStringSubmatch(string(upgrade), -1) {
		if strings.HasPrefix(m[1], "helm ") || strings.HasPrefix(m[1], "kubectl ") {
			script += m[1]
			upgrades++
		}
	}
	require.Equal(t, 2, upgrades)
	top, tools, state := t.TempDir(), t.TempDir(), t.TempDir()
	for _, dir := range []string{"helm", "kubernetes"} {
		require.NoError(t, os.CopyFS(filepath.Join(top, "deploy", dir), os.DirFS("../"+dir)))
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for _, name := range []string{"helm", "kubectl"} {
		require.NoError(t, os.Symlink(self, filepath.Join(tools, name)))
	}
	api, err := filepath.Abs("../../docs/openapi.yaml")
	require.NoError(t, err)
	shell := exec.CommandContext(t.Context(), "bash", "-c", script)
	shell.Dir, shell.WaitDelay = top, 10*time.Second
	shell.Env = append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"), stateVariable+"="+state, openapiVariable+"="+api)
	said, err := shell.CombinedOutput()
	require.NoError(t, err, "%s", said)
	for _, name := range []string{"release", "base", "banyandb", "daemonset", "secure", "patched-banyandb-data-hot", "patched-banyandb-liaison"} {
		require.FileExists(t, filepath.Join(state, name))
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(sidecar-[a-z-]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		require.DirExists(t, filepath.Join(top, "deploy/kubernetes/components", m[1]))
	}
}

// What the documentation must not ask for is refused.
func TestToolsRefuse(t *testing.T) {
	for _, command := range []string{"helm install fodc deploy/helm/fodc", "helm uninstall fodc -n observed", "helm install x y -n z --wait",
		"kubectl apply -n observed -k ../kubernetes/gone", "kubectl delete pod x", "kubectl patch statefulset -n observed banyandb-data-hot --patch-file gone"} {
		words := strings.Fields(command)
		tool := asHelm
		if words[0] == "kubectl" {
			tool = asKubectl
		}
		require.Error(t, tool(words[1:], t.TempDir()), command)
	}
}
