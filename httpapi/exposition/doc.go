// Package exposition makes one page of the answers of many agents.
//
//   - identity.go: the identity labels that a node's samples are stamped with; samplelabels.go: the same
//     for those who write no page
//   - escaped_names.go: names for clients that do not read UTF-8 names
//   - gather.go: groups the families of all nodes by name; merge.go: resolves type, help and
//     names where nodes disagree; conflicts.go: counts what was left out
//   - series.go: the series of one family and node, sorted and deduplicated; normalized.go:
//     the fast path for series that are both already
//   - collection_metrics.go: metrics of the collection itself (fodc_agent_up, ...)
//   - text.go, openmetrics.go, json.go: the formats; openmetricspage.go: a page in parts
//   - line_prefixes.go: beginnings of lines, cached for nodes with the same series; value.go:
//     numbers; buffer.go: buffered output
//   - tree.go: the actor tree as text
//
// A page holds every series once and every family as one group, whatever the
// agents send. Families are sorted by name, their series by node, then by labels;
// the buckets of a histogram by bound, before its sum and count.
//
// The package is pure: it reads its input, which others may read at the same time,
// and writes to an io.Writer. It trusts that label texts were checked when they
// arrived (messages.CheckLabelText); all other conflicts it resolves itself, and counts
// in Conflicts.
package exposition
