// Package messages holds what crosses a package boundary: the words of the
// domain, and the questions and answers that are passed between its parts.
//
//   - node.go: who a node is, what an agent registers, what the cluster looks like
//   - registration.go: what a registration must fulfil, and whom it names
//   - nodeconfig.go: how a node is configured, and the limits of that
//   - family.go: metric families in columnar form, from the recorder to the page;
//     descriptor.go: what answers share of a family; sortkey.go: the order of its series
//   - labels.go: the text form of a series' labels, its rules and limits; sanitize.go: how
//     invalid label names are replaced; emptylabels.go: labels with an empty value are no labels;
//     labelinfo.go: what a page needs to know of a text
//   - identitylabels.go: the labels that say which node a sample is from, and what becomes
//     of a sample's own labels of such names
//   - collection.go: what a client asks of all agents, and what comes back; times.go: times as
//     users write them; yielding.go: when the work of queries waits for pages
//   - question.go: what agents are asked beside metrics, and on which stream; the answers are in
//     topology.go, lifecycle.go (lifecycle_memory.go, lifecycle_names.go: their size, and the names of
//     their values), crash.go and pressure.go; join.go, joingroups.go: their parts put together again
//   - incident.go: incidents and their evidence; incident_document.go: the document that one is, and the
//     rules of its paths; incident_bounds.go: the limits of its texts; incident_question.go: what agents are asked about them
//   - actortree.go: the picture of a running process; agenthealth.go: that of an agent;
//     proxycounts.go: what a proxy has done
//   - errors.go: the few kinds of errors that a client can meet
//
// Everything here is plain data, built on the standard library alone, and
// immutable once it has been sent: no actor address, channel, context or lock.
// Every package may import this one; it imports none of them.
package messages
