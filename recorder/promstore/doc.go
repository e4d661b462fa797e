// Package promstore shows the samples of nodes as the storage of a Prometheus, so that its engine
// evaluates queries over them: those of a window and a journal, and those that many agents answer.
//
//   - store.go: what a store is made of; options of a request
//   - querier.go: collects for all selections of a query at once, and releases what was collected
//   - selection.go: what a selection asks for; scope.go: the families and nodes of it; plan.go: which
//     collections several selections need
//   - collection.go: an answer, by node and target; scrapetimes.go: when a target was scraped
//   - families.go: the families that match, by node; assemble.go: their series; merge.go: series
//     that are in several blocks or families; nodelabels.go: the labels of a node's series;
//     knownlabels.go: keeps them for the next query; watch.go: compares labels until the query ends
//   - series.go: a series, which has its samples in the blocks; iterator.go: its samples and staleness
//     markers
//   - about.go: the series about a collection; up.go: that which says when a node was up
//   - seriesset.go, labelquery.go, metadata.go: the answers for the engine, for names and values of
//     labels, and for types and helps
//   - annotations.go: warnings, infos, and the errors that they are in strict requests
//
// The package is pure: what it reads it gets from a function, and the time, too. It copies no
// values: series point into the collection, which must not be released before the engine is done.
package promstore
