// Package kubetest checks what stands in deploy/kubernetes and deploy/helm against the API of Kubernetes, against the program and
// against each other, and runs the commands of docs/kubernetes.md. It is a module of its own: the program needs none of these
// libraries. make kube-check runs it.
//
//   - render_test.go: the chart and the overlays become objects, and an unknown field is an error
//   - objects_test.go: what a set of objects has: pods, containers, selectors
//   - rules_test.go: what each set of objects must keep, such as limits and probes
//   - security_test.go: what containers may do
//   - program_test.go: the flags of containers, asked of the program
//   - helm_test.go: the chart over a table of values, and the README of these, whose head is in readme_test.go
//   - kustomize_test.go: the overlays, and that they are what the chart gives
//   - banyandb_test.go: agents beside the database
//   - pod_test.go: the process that the kubelet starts of a container: its arguments, variables and mounts
//   - docs_test.go: the commands of docs/kubernetes.md, with the libraries in the place of helm and kubectl
package kubetest
