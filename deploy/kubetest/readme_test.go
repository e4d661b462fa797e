package kubetest

// readmeHead is what stands above the table in the chart's README.
const readmeHead = "# fodc, the chart\n" + `
<!-- Generated from values.yaml. Change that, or deploy/kubetest/readme_test.go, and run make kube-docs. -->

How to use it is in docs/kubernetes.md. A value that is not in this table is refused by values.schema.json.

| value | default | meaning |
|---|---|---|
`
