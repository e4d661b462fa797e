// Package incidentseries shows the samples of incidents beside those of the present: a selector with the matcher
// incident="ID" reads the blocks in the directory of that incident, and a selector without it never sees them.
//
//   - matcher.go: which incident a selector is of
//   - store.go: Store, the storage of the present with that beside it
//   - querier.go: what the engine asks; selected.go: the incidents of one query; labelled.go: their series have the
//     label incident
//   - samples.go: which blocks an incident has, and what is missing of it, and why
//   - open_state.go: which incidents are open, and which one is closed for another; open.go: opens and closes them
//
// An incident may be removed while it is read: its files are open, and the query ends as if it were still there.
package incidentseries
