package rules

import (
	"errors"
	"time"
)

// Stats are counts of an Evaluator since it was made.
type Stats struct {
	// Rules is the number of rules, Pending and Firing that of their alerts.
	Rules, Pending, Firing int
	// Evaluations counts evaluations of single rules, Failures those of them that failed.
	Evaluations, Failures int
	// Rounds counts calls of Evaluate; Seconds is the time that all of them took, Last that of the last one.
	Rounds  int
	Seconds float64
	Last    time.Duration
}

// Error is why the evaluation of a rule failed.
type Error struct {
	Rule string
	Err  error
}

// Error implements error.
func (e *Error) Error() string {
	return "rule " + e.Rule + ": " + bounded(e.Err.Error(), maxErrorBytes)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errors returns the failures of single rules in an error of Evaluate. There are none in one that says that nothing
// could be read.
func Errors(err error) []*Error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var all []*Error
	for _, err := range joined.Unwrap() {
		if e, ok := errors.AsType[*Error](err); ok {
			all = append(all, e)
		}
	}
	return all
}
