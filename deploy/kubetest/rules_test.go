package kubetest

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// flaws returns what is wrong with a set of objects. It knows of no flags: see program_test.go.
func flaws(o objects) (found []string) {
	complain := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for _, w := range o.workloads() {
		by, err := meta.LabelSelectorAsSelector(w.selector)
		if err != nil || !by.Matches(labels.Set(w.template.Labels)) {
			complain("%s: its selector does not match its pods", w.name)
		}
		names := map[string]bool{}
		for _, c := range append(append([]core.Container{}, w.template.Spec.InitContainers...), w.template.Spec.Containers...) {
			if names[c.Name] {
				complain("%s: two containers are called %s", w.name, c.Name)
			}
			names[c.Name] = true
		}
		for _, c := range w.ours() {
			containerFlaws(w, c, func(format string, args ...any) {
				complain(w.name+", container "+c.Name+": "+format, args...)
			})
		}
	}
	for _, object := range o {
		group := object.GetObjectKind().GroupVersionKind().Group
		if group == "rbac.authorization.k8s.io" {
			complain("an object of %s: neither proxy nor agents need anything of the cluster's API", group)
		}
	}
	o.selectorFlaws(complain)
	return found
}

func containerFlaws(w workload, c core.Container, complain func(string, ...any)) {
	image, digest := strings.CutPrefix(c.Image, "registry.example/fodc@sha256:")
	if _, tag, _ := strings.Cut(image, ":"); !digest && (tag == "" || tag == "latest") {
		complain("the image %q has no version", c.Image)
	}
	if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
		complain("limits.memory, requests.memory and requests.cpu must be set")
	}
	isSidecar := c.RestartPolicy != nil
	if isSidecar && (*c.RestartPolicy != core.ContainerRestartPolicyAlways || c.ReadinessProbe != nil || c.StartupProbe != nil) {
		complain("a sidecar is restarted always, and has no readiness or startup probe, for which the database would wait")
	}
	if c.LivenessProbe == nil || !isSidecar && c.ReadinessProbe == nil {
		complain("a probe is missing")
	}
	for _, p := range []*core.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
		if p == nil {
			continue
		}
		if p.HTTPGet == nil || !hasPath(p.HTTPGet.Path) {
			complain("the probe %v asks for a path that docs/openapi.yaml does not have", p)
		} else if w.port(p.HTTPGet.Port.StrVal) == 0 {
			complain("the probe of %s asks at a port that is not there", p.HTTPGet.Path)
		}
	}
	for _, m := range c.VolumeMounts {
		if _, _, found := w.volume(m.Name); !found {
			complain("there is no volume %q", m.Name)
		}
	}
	storageFlaws(w, c, complain)
}

// openapi is the description of the program's HTTP API, which its tests compare with the program. The variable is for programs
// that the test of the documentation starts in other directories.
var openapi = sync.OnceValue(func() string {
	text, err := os.ReadFile(cmp.Or(os.Getenv(openapiVariable), "../../docs/openapi.yaml"))
	if err != nil {
		panic(err)
	}
	return string(text)
})

func hasPath(path string) bool { return strings.Contains(openapi(), "\n  "+path+":\n") }

// storageFlaws says whether the storage directory can be written, and has room for all that the flags allow.
func storageFlaws(w workload, c core.Container, complain func(string, ...any)) {
	dir := flagValues(c, "storage-dir")
	if len(dir) == 0 {
		return
	}
	at := slices.IndexFunc(c.VolumeMounts, func(m core.VolumeMount) bool { return m.MountPath == dir[0] && !m.ReadOnly })
	if at < 0 {
		complain("nothing to write to is mounted at --storage-dir %s", dir[0])
		return
	}
	var need resource.Quantity
	for _, name := range []string{"storage-retention-size", "incident-retention-size", "pressure-profiler-max-disk-bytes"} {
		for _, value := range flagValues(c, name) {
			need.Add(resource.MustParse(strings.TrimSuffix(value, "B")))
		}
	}
	volume, claim, _ := w.volume(c.VolumeMounts[at].Name)
	var have resource.Quantity
	switch {
	case claim != nil:
		have = claim.Spec.Resources.Requests[core.ResourceStorage]
	case volume.EmptyDir != nil && volume.EmptyDir.SizeLimit != nil:
		have = *volume.EmptyDir.SizeLimit
	case volume.HostPath != nil:
		return
	default:
		complain("the volume of --storage-dir has no limit")
		return
	}
	if need.IsZero() || have.Cmp(need) <= 0 {
		complain("--storage-dir has %s, and the flags allow %s", have.String(), need.String())
	}
}

// selectorFlaws looks at what selects pods or Services.
func (o objects) selectorFlaws(complain func(string, ...any)) {
	// one returns the only workload that is selected.
	one := func(what string, by labels.Selector) (w workload) {
		found := o.selected(by)
		if len(found) != 1 {
			complain("%s selects the pods of %d workloads", what, len(found))
			return w
		}
		return found[0]
	}
	selector := func(s meta.LabelSelector) labels.Selector {
		by, err := meta.LabelSelectorAsSelector(&s)
		if err != nil {
			complain("%v", err)
		}
		return by
	}
	for _, object := range o {
		switch x := object.(type) {
		case *core.Service:
			w := one("Service "+x.Name, labels.SelectorFromSet(x.Spec.Selector))
			for _, p := range x.Spec.Ports {
				if n := w.port(p.TargetPort.StrVal); n == 0 || n != p.Port {
					complain("Service %s: port %d leads to %q, which is %d", x.Name, p.Port, p.TargetPort.StrVal, n)
				}
			}
		case *policy.PodDisruptionBudget:
			one("PodDisruptionBudget "+x.Name, selector(*x.Spec.Selector))
		case *networking.NetworkPolicy:
			w := one("NetworkPolicy "+x.Name, selector(x.Spec.PodSelector))
			for _, rule := range x.Spec.Ingress {
				for _, p := range rule.Ports {
					if w.port(p.Port.StrVal) == 0 {
						complain("NetworkPolicy %s: no pod has the port %q", x.Name, p.Port.String())
					}
				}
			}
		case *monitoring.ServiceMonitor:
			o.monitorFlaws(x, selector(x.Spec.Selector), complain)
		}
	}
}

// monitorFlaws: exactly one Service must be selected, as each further one would double the samples.
func (o objects) monitorFlaws(m *monitoring.ServiceMonitor, by labels.Selector, complain func(string, ...any)) {
	services := 0
	for _, object := range o {
		if s, ok := object.(*core.Service); ok && by.Matches(labels.Set(s.Labels)) {
			services++
			for _, e := range m.Spec.Endpoints {
				if !slices.ContainsFunc(s.Spec.Ports, func(p core.ServicePort) bool { return p.Name == e.Port }) {
					complain("ServiceMonitor %s: Service %s has no port %q", m.Name, s.Name, e.Port)
				}
			}
		}
	}
	if services != 1 {
		complain("ServiceMonitor %s selects %d Services", m.Name, services)
	}
	for _, e := range m.Spec.Endpoints {
		if !e.HonorLabels || !hasPath(e.Path) {
			complain("ServiceMonitor %s: honorLabels must be true, and %q a path of the program", m.Name, e.Path)
		}
	}
}

// TestFlawsAreFound shows the rules what they must find.
func TestFlawsAreFound(t *testing.T) {
	good, _ := renderValues(t, "serviceMonitor: {enabled: true}\nagent: {mode: daemonset, nodeRole: datanode-hot}")
	require.Empty(t, flaws(mustDecode(t, good)))
	role := "kind: Role\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x}\n"
	for i, change := range [][2]string{
		{"registry.example/fodc:v0.1.0", "registry.example/fodc:latest"}, {"registry.example/fodc:v0.1.0", "registry.example/fodc"},
		{"memory: 512Mi", "cpu: 1"}, {"path: /-/ready", "path: /ready"}, {"port: http", "port: web"}, {"mountPath: /var/lib/fodc", "mountPath: /var/lib/other"},
		{"sizeLimit: 2Gi", "sizeLimit: 1Gi"}, {"storage: 8Gi", "storage: 5Gi"}, {"- name: fodc-storage\n          emptyDir", "- name: other\n          emptyDir"},
		{"port: 17900", "port: 17999"}, {"targetPort: grpc", "targetPort: gprc"}, {"- port: grpc", "- port: gprc"}, {"honorLabels: true", "honorLabels: false"},
		{"app.kubernetes.io/component: proxy-pods", "app.kubernetes.io/component: proxy"}, {"path: /metrics", "path: /metric"},
		{"podSelector:\n    matchLabels:\n      app.kubernetes.io/name: fodc", "podSelector:\n    matchLabels:\n      app.kubernetes.io/name: other"},
		{"matchLabels:\n      app.kubernetes.io/name: fodc", "matchLabels:\n      app.kubernetes.io/name: other"},
		{"---\n", "---\n" + role + "---\n"},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			require.Contains(t, good, change[0])
			bad := strings.ReplaceAll(good, change[0], change[1])
			require.NotEmpty(t, flaws(mustDecode(t, bad)), "%v", change)
		})
	}
}
