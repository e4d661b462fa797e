package kubetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
)

// cluster is what the kubelet knows beside a pod's specification.
type cluster struct {
	fields     map[string]string            // by the path of a fieldRef
	configMaps map[string]map[string]string // by name and key
	secrets    map[string]map[string]string
}

// process is what the kubelet starts of a container.
type process struct {
	command, args []string          // command is empty where the image's entry point counts
	env           []string          // NAME=value, in the order of the container
	mounts        map[string]string // the name of the volume by the path, with ":ro" where it cannot be written
	liveness      *core.Probe       // nil: there is none
	readiness     *core.Probe
	grace         time.Duration // between SIGTERM and SIGKILL
}

// start returns the process of a container of a pod. It does what the kubelet does before it starts one: the values of
// variables, and $(NAME) in arguments and in variables that stand further down. A reference to nothing is an error. The volumes of
// a StatefulSet's claims must be among those of the pod, as its controller puts them there.
func start(pod core.PodSpec, c core.Container, in cluster) (process, error) {
	p := process{mounts: map[string]string{}, liveness: c.LivenessProbe, readiness: c.ReadinessProbe, grace: 30 * time.Second}
	if s := pod.TerminationGracePeriodSeconds; s != nil {
		p.grace = time.Duration(*s) * time.Second
	}
	if len(c.EnvFrom) > 0 {
		return process{}, fmt.Errorf("container %s: envFrom is not supported", c.Name)
	}
	values := map[string]string{}
	for _, e := range c.Env {
		value, found, err := in.value(e)
		if err != nil {
			return process{}, fmt.Errorf("container %s, variable %s: %w", c.Name, e.Name, err)
		}
		if !found {
			continue
		}
		if e.ValueFrom == nil {
			value = expand(value, values)
		}
		values[e.Name] = value
		p.env = append(p.env, e.Name+"="+value)
	}
	for _, text := range c.Command {
		p.command = append(p.command, expand(text, values))
	}
	for _, text := range c.Args {
		p.args = append(p.args, expand(text, values))
	}
	for _, m := range c.VolumeMounts {
		name := m.Name
		if m.ReadOnly {
			name += ":ro"
		}
		if !slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == m.Name }) {
			return process{}, fmt.Errorf("container %s: there is no volume %q", c.Name, m.Name)
		}
		p.mounts[m.MountPath] = name
	}
	return p, nil
}

// value returns what a variable has before $(NAME) is looked at. found is false where an
// optional key is not there: the container does not get the variable.
func (in cluster) value(e core.EnvVar) (value string, found bool, err error) {
	from := e.ValueFrom
	if from == nil {
		return e.Value, true, nil
	}
	var all map[string]map[string]string
	var name, key string
	var optional *bool
	switch {
	case from.FieldRef != nil:
		value, found := in.fields[from.FieldRef.FieldPath]
		if !found {
			return "", false, fmt.Errorf("there is no field %q", from.FieldRef.FieldPath)
		}
		return value, true, nil
	case from.ConfigMapKeyRef != nil:
		all, name, key, optional = in.configMaps, from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key, from.ConfigMapKeyRef.Optional
	case from.SecretKeyRef != nil:
		all, name, key, optional = in.secrets, from.SecretKeyRef.Name, from.SecretKeyRef.Key, from.SecretKeyRef.Optional
	default:
		return "", false, fmt.Errorf("its source is not known: %v", from)
	}
	value, found = all[name][key]
	if !found && (optional == nil || !*optional) {
		return "", false, fmt.Errorf("there is no key %q in %q", key, name)
	}
	return value, found, nil
}

// expand puts values in the place of $(NAME). $$ is one $, and a name that is not known stays as it is.
func expand(text string, values map[string]string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		if strings.HasPrefix(rest, "$$") {
			b.WriteByte('$')
			i++
			continue
		}
		if end := strings.IndexByte(rest, ')'); strings.HasPrefix(rest, "$(") && end > 0 {
			if value, found := values[rest[2:end]]; found {
				b.WriteString(value)
			} else {
				b.WriteString(rest[:end+1])
			}
			i += end
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func TestExpand(t *testing.T) {
	values := map[string]string{"A": "1", "B": "$(A)"}
	for text, want := range map[string]string{"": "", "x$(A)y": "x1y", "$(A)$(A)": "11", "$(C)": "$(C)", "$$(A)": "$(A)", "$$$(A)": "$1", "$": "$", "$(A": "$(A",
		"$(B)": "$(A)", "a$b": "a$b", "ä$(A)": "ä1"} {
		require.Equal(t, want, expand(text, values), text)
	}
}

func TestStart(t *testing.T) {
	yes, grace := true, int64(7)
	source := func(s core.EnvVarSource) *core.EnvVarSource { return &s }
	keyIn := func(name string) core.LocalObjectReference { return core.LocalObjectReference{Name: name} }
	in := cluster{fields: map[string]string{"metadata.name": "pod-0"}, configMaps: map[string]map[string]string{"m": {"k": "of $(A)"}}, secrets: map[string]map[string]string{"s": {"k": "hidden"}}}
	pod := core.PodSpec{TerminationGracePeriodSeconds: &grace, Volumes: []core.Volume{{Name: "v"}, {Name: "w"}}}
	c := core.Container{Name: "c", Command: []string{"/x", "$(A)"}, Args: []string{"--a=$(POD)", "--b=$(LATER)"}, LivenessProbe: &core.Probe{PeriodSeconds: 3},
		VolumeMounts: []core.VolumeMount{{Name: "v", MountPath: "/v"}, {Name: "w", MountPath: "/w", ReadOnly: true}},
		Env: []core.EnvVar{{Name: "FIRST", Value: "$(A)"}, {Name: "A", Value: "1"}, {Name: "LATER", Value: "$(A)2"},
			{Name: "POD", ValueFrom: source(core.EnvVarSource{FieldRef: &core.ObjectFieldSelector{FieldPath: "metadata.name"}})},
			{Name: "M", ValueFrom: source(core.EnvVarSource{ConfigMapKeyRef: &core.ConfigMapKeySelector{LocalObjectReference: keyIn("m"), Key: "k"}})},
			{Name: "S", ValueFrom: source(core.EnvVarSource{SecretKeyRef: &core.SecretKeySelector{LocalObjectReference: keyIn("s"), Key: "k"}})},
			{Name: "O", ValueFrom: source(core.EnvVarSource{SecretKeyRef: &core.SecretKeySelector{LocalObjectReference: keyIn("s"), Key: "gone", Optional: &yes}})}}}
	p, err := start(pod, c, in)
	require.NoError(t, err)
	require.Equal(t, process{command: []string{"/x", "1"}, args: []string{"--a=pod-0", "--b=12"},
		env:    []string{"FIRST=$(A)", "A=1", "LATER=12", "POD=pod-0", "M=of $(A)", "S=hidden"},
		mounts: map[string]string{"/v": "v", "/w": "w:ro"}, liveness: c.LivenessProbe, grace: 7 * time.Second}, p)

	pod.TerminationGracePeriodSeconds = nil
	p, err = start(pod, core.Container{}, in)
	require.NoError(t, err)
	require.Equal(t, 30*time.Second, p.grace)
	for want, bad := range map[string]core.Container{
		`there is no volume "z"`:           {VolumeMounts: []core.VolumeMount{{Name: "z", MountPath: "/z"}}},
		`there is no field "spec.gone"`:    {Env: []core.EnvVar{{Name: "X", ValueFrom: source(core.EnvVarSource{FieldRef: &core.ObjectFieldSelector{FieldPath: "spec.gone"}})}}},
		`there is no key "gone" in "m"`:    {Env: []core.EnvVar{{Name: "X", ValueFrom: source(core.EnvVarSource{ConfigMapKeyRef: &core.ConfigMapKeySelector{LocalObjectReference: keyIn("m"), Key: "gone"}})}}},
		`envFrom is not supported`:         {EnvFrom: []core.EnvFromSource{{}}},
		`variable X: its source is not kn`: {Env: []core.EnvVar{{Name: "X", ValueFrom: &core.EnvVarSource{}}}},
	} {
		_, err := start(pod, bad, in)
		require.ErrorContains(t, err, want)
	}
}
