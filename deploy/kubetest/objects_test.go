package kubetest

import (
	"bufio"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

func bufioReader(text string) *bufio.Reader { return bufio.NewReader(strings.NewReader(text)) }

type objects []runtime.Object

// workload is what makes pods.
type workload struct {
	name     string
	selector *meta.LabelSelector
	template core.PodTemplateSpec
	claims   []core.PersistentVolumeClaim
}

func (o objects) workloads() (all []workload) {
	for _, object := range o {
		switch w := object.(type) {
		case *apps.StatefulSet:
			all = append(all, workload{"StatefulSet " + w.Name, w.Spec.Selector, w.Spec.Template, w.Spec.VolumeClaimTemplates})
		case *apps.DaemonSet:
			all = append(all, workload{"DaemonSet " + w.Name, w.Spec.Selector, w.Spec.Template, nil})
		case *apps.Deployment:
			all = append(all, workload{"Deployment " + w.Name, w.Spec.Selector, w.Spec.Template, nil})
		}
	}
	return all
}

// selected returns the workloads whose pods the selector matches.
func (o objects) selected(by labels.Selector) (found []workload) {
	for _, w := range o.workloads() {
		if by.Matches(labels.Set(w.template.Labels)) {
			found = append(found, w)
		}
	}
	return found
}

// ours returns the containers that run fodc.
func (w workload) ours() (found []core.Container) {
	for _, c := range append(append([]core.Container{}, w.template.Spec.InitContainers...), w.template.Spec.Containers...) {
		if strings.Contains(c.Image, "fodc") {
			found = append(found, c)
		}
	}
	return found
}

// port returns the number of a named port of a pod, and 0 if there is none.
func (w workload) port(name string) int32 {
	for _, c := range append(append([]core.Container{}, w.template.Spec.InitContainers...), w.template.Spec.Containers...) {
		for _, p := range c.Ports {
			if p.Name == name {
				return p.ContainerPort
			}
		}
	}
	return 0
}

// volume returns the volume or claim of a name.
func (w workload) volume(name string) (v core.Volume, claim *core.PersistentVolumeClaim, found bool) {
	for i := range w.claims {
		if w.claims[i].Name == name {
			return v, &w.claims[i], true
		}
	}
	for _, v := range w.template.Spec.Volumes {
		if v.Name == name {
			return v, nil, true
		}
	}
	return v, nil, false
}

// flagValues returns the value of a flag in the arguments of a container, and all of them if it is there several times.
func flagValues(c core.Container, name string) (values []string) {
	for _, arg := range c.Args {
		if arg == "--"+name {
			values = append(values, "true")
		} else if v, found := strings.CutPrefix(arg, "--"+name+"="); found {
			values = append(values, v)
		}
	}
	return values
}

func variable(c core.Container, name string) string {
	for _, e := range c.Env {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}
