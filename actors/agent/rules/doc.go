// Package rules evaluates alerting rules over what an agent has recorded. Rules are those of Prometheus:
// its file format, its expressions, and its own code for both.
//
//   - builtin.go: the rules that are in the program, with tests of each; builtin/ has the files, one for each theme
//   - load.go: reads files of rules; parse.go: one file; set.go: the rules of all files
//   - evaluator.go: evaluates the rules at a time; rule.go: one rule, with its alerts; alert.go: what it says
//   - lookback.go: finds when the expression of an alert first held
//   - selectors.go: what the rules read; shared.go: reads that once for all of them; gate.go: what a rule
//     evaluates first, so that most need no more
//   - stats.go: counts evaluations; storage.go: an agent's samples, for an Evaluator
//
// An Evaluator asks the agent for all series that its rules need, in as few reads as possible, and then
// evaluates one rule after the other over them. When an alert becomes active, it looks back for when that began. Whatever a rule does wrong costs that rule alone.
package rules
