package kubetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
)

// mayDo is what a container may do, of its own security context and of its pod's: a line for what goes beyond the least.
func mayDo(w workload, c core.Container) (beyond []string) {
	say := func(when bool, format string, args ...any) {
		if when {
			beyond = append(beyond, fmt.Sprintf(format, args...))
		}
	}
	spec := w.template.Spec
	pod := spec.SecurityContext
	if pod == nil {
		pod = &core.PodSecurityContext{}
	}
	own := c.SecurityContext
	if own == nil {
		return []string{"no security context"}
	}
	say(spec.HostPID, "hostPID")
	say(spec.HostNetwork, "hostNetwork")
	say(spec.HostIPC, "hostIPC")
	user, nonRoot, seccomp := own.RunAsUser, own.RunAsNonRoot, own.SeccompProfile
	if user == nil {
		user = pod.RunAsUser
	}
	if nonRoot == nil {
		nonRoot = pod.RunAsNonRoot
	}
	if seccomp == nil {
		seccomp = pod.SeccompProfile
	}
	say(user == nil || *user == 0, "root")
	say(user != nil && *user != 0 && (nonRoot == nil || !*nonRoot), "not runAsNonRoot")
	say(seccomp == nil || seccomp.Type != core.SeccompProfileTypeRuntimeDefault, "no seccomp profile")
	say(own.ReadOnlyRootFilesystem == nil || !*own.ReadOnlyRootFilesystem, "writes to its root")
	say(own.AllowPrivilegeEscalation == nil || *own.AllowPrivilegeEscalation, "gets privileges")
	say(own.Privileged != nil && *own.Privileged, "privileged")
	dropped := false
	if own.Capabilities != nil {
		for _, capability := range own.Capabilities.Add {
			say(true, "CAP_%s", capability)
		}
		dropped = len(own.Capabilities.Drop) == 1 && own.Capabilities.Drop[0] == "ALL"
	}
	say(!dropped, "keeps capabilities")
	for _, m := range c.VolumeMounts {
		v, _, _ := w.volume(m.Name)
		if v.HostPath != nil {
			say(true, "%s of the host, read only: %t", v.HostPath.Path, m.ReadOnly)
		}
	}
	return beyond
}

// requireLeast requires all containers of fodc to do the least, or what programs in the kernel need.
func requireLeast(t *testing.T, o objects) {
	t.Helper()
	ours := 0
	for _, w := range o.workloads() {
		for _, c := range w.ours() {
			ours++
			var want []string
			if variable(c, "FODC_KERNEL_TELEMETRY") == "auto" {
				if strings.HasPrefix(w.name, "DaemonSet") {
					want = append(want, "hostPID")
				}
				want = append(want, "root", "CAP_BPF", "CAP_PERFMON", "/sys/kernel/tracing of the host, read only: true")
			}
			require.Equal(t, want, mayDo(w, c), "%s, container %s", w.name, c.Name)
		}
		if strings.Contains(w.name, "fodc") || strings.Contains(w.name, "other") { // and not the database's
			token := w.template.Spec.AutomountServiceAccountToken
			require.True(t, token != nil && !*token, "%s has a token of the cluster's API", w.name)
			links := w.template.Spec.EnableServiceLinks
			require.True(t, links != nil && !*links, "%s has variables of Services", w.name)
		}
	}
	require.NotZero(t, ours)
}

func TestMayDoFindsAll(t *testing.T) {
	yes, root := true, int64(0)
	w := workload{template: core.PodTemplateSpec{Spec: core.PodSpec{HostPID: true, HostNetwork: true, HostIPC: true,
		Volumes: []core.Volume{{Name: "x", VolumeSource: core.VolumeSource{HostPath: &core.HostPathVolumeSource{Path: "/x"}}}}}}}
	c := core.Container{VolumeMounts: []core.VolumeMount{{Name: "x"}}, SecurityContext: &core.SecurityContext{Privileged: &yes, RunAsUser: &root,
		Capabilities: &core.Capabilities{Add: []core.Capability{"BPF"}}}}
	require.Equal(t, []string{"hostPID", "hostNetwork", "hostIPC", "root", "no seccomp profile", "writes to its root", "gets privileges", "privileged", "CAP_BPF",
		"keeps capabilities", "/x of the host, read only: false"}, mayDo(w, c))
	require.Equal(t, []string{"no security context"}, mayDo(w, core.Container{}))
}
