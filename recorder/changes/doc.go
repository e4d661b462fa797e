// Package changes says which series of the nodes of an incident have left their usual course, when, and how far: what changed
// first. It is pure: series in, a Report out.
//
//   - changes.go: what is asked and answered
//   - thresholds.go: every number that decides, with its reason
//   - finder.go: the series of one node after the other
//   - points.go: samples as they are compared: counters by their rate
//   - baseline.go: what was usual; median.go: medians
//   - detect.go: what is a change, and when it began
//   - family.go: families, and what is too small to matter
//   - rank.go: one line a family, in order
//   - absent.go: series that end or begin together
//   - churn.go: series that come and go while their families go on
//   - limits.go: what came near its limit
//
// How it works, for each series by itself:
//
// A counter is compared by its rate. The type says what is a counter, but not reliably: there are counters that are exported
// as gauges, and blocks have no types. So what rises often (minRising) and never falls but to near zero (resetShare) is one,
// too. Over a restart there is no rate, and so no change. What is no number is left out, and so are points in time.
//
// The baseline is the time before the first occurrence, less a guard (guardShare), since what leads up to an incident begins before a rule
// notices. A trend is taken out of it, that of Theil and Sen, or all that grows slowly would be first. The envelope is how far the samples
// were from the trend, at least minEnvelope standard deviations. The unit is how far three samples in a row were off: about one
// standard deviation for noise, nearly all of the envelope for what wanders or comes in bursts. So a series that wanders must go
// further to be noticed. The unit has a floor for each kind of value (floorOf), or tiny changes win.
//
// It is a change when minRun samples in a row are beyond the envelope on one side, on average by the unit times beyond; or as many of
// runWindow, each by that, which is how a series shows that only its variance changes. Beyond means: the trend explains it neither if it
// went on nor if it stopped. The onset is the first of these samples, or where the samples that lead up to it left the envelope. A
// counter that always rose and stops is a change as well: it cannot fall below its envelope. One or two samples that are very far
// off (spikeRatio) are a spike, which ranks behind all that stays.
//
// The list has one line a family, of its series that changed first. It is in the order of onset in steps of sameTime scrapes; of those at the
// same time, what went furthest in its unit is first. Series of a process that ends are one Group, not a change each. Series that end or begin
// while others of their family go on, such as those of network devices, are Churn, which is behind all else. What came near
// a limit is a list of its own: it tells memory that will not suffice from a node that warms up. The agent's own series are never
// listed: it does more when there is an incident.
//
// Two-sample tests, such as that of Kolmogorov and Smirnov, are not used: whatever drifts is different from before, so that they put
// page tables and sequence numbers on top.
package changes
