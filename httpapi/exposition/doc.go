// Package exposition makes one page of the answers of many agents.
//
//   - identity.go: the labels that a node's samples are stamped with
//   - plain.go: names for readers that know no UTF-8
//   - gather.go: families of all nodes side by side; merge.go: who wins where they disagree,
//     and conflicts.go: how often anybody lost
//   - series.go: the series of one family and node, in order, each of them once;
//     settled.go: those that need no looking at
//   - own.go: families that tell how the collection itself went
//   - text.go, openmetrics.go, json.go: the pages; value.go: their numbers; buffer.go: how
//     they are handed on; tree.go: the picture of a process for people
//
// A page holds every series once and every family as one group, whatever the
// agents send. Families are sorted by name, their series by node, then by labels;
// the buckets of a histogram by bound, before its sum and count.
//
// The package is pure: it reads its input, which others may read at the same time,
// and writes to an io.Writer. It trusts that label texts were checked when they
// arrived (messages.CheckLabelText); everything else it settles itself and counts
// in Conflicts.
package exposition
