package capture

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"fodc/actors/agent/mask"
	"fodc/messages"
)

// Step is one piece of evidence, and how it is had. It is never tried twice.
type Step struct {
	// What is one of the Evidence constants of package messages, of a profile with its type: profile/heap.
	What string
	// Path is that of the file, relative to the node's directory in the incident.
	Path string
	// Limit bounds the file, in bytes. Timeout bounds the time of the step, from its begin: not the time
	// in which it waits for its turn.
	Limit   int64
	Timeout time.Duration
	// Heavy says that the node itself is asked: such steps run one at a time.
	Heavy bool
	// Stays says that what it captures is there in a minute, too: so it can wait. Hold, if it is not nil, is called at once then,
	// and keeps what may change meanwhile. It may hang.
	Stays bool
	Hold  func(ctx context.Context)
	// Parts says that a part of it is of use: what is over the limit is left out, and what was
	// written before an error is kept. Otherwise the file is whole, or there is none.
	Parts bool
	// Until, if it is not nil, says that it goes on until this is closed, and has its Timeout from then on.
	Until <-chan struct{}
	// Ready returns why nobody is asked, before the step begins; nil: it always begins. What Run promises of ctx holds for it, too.
	Ready func(ctx context.Context) error
	// Run writes the evidence. Its error says why that could not be had, or not wholly. When ctx
	// ends, it returns soon, unless it hangs in the kernel: then it is left to itself.
	Run func(ctx context.Context, w io.Writer) error
	// More finds further steps, in the place of Run: those whose number is not known before one has looked.
	// With an error it may return steps, too.
	More func(ctx context.Context) ([]Step, error)
}

// Output takes what a step writes: a file that is there when Commit has returned.
type Output interface {
	io.Writer
	Commit() (messages.EvidenceFile, error)
	Abort()
}

// Result is what became of a step.
type Result struct {
	Step Step
	// File is what is kept; nil: nothing is.
	File *messages.EvidenceFile
	// Err is why there is no file, or why it is not whole; nil: it is whole.
	Err   error
	Began time.Time // zero: it was not begun
	Took  time.Duration
}

// Missing returns what is said of a step that did not have all; false: it had. The reason begins with the path. Of
// profiles for which the node was not asked it is the same of all.
func (r Result) Missing() (messages.EvidenceMissing, bool) {
	if r.Err == nil {
		return messages.EvidenceMissing{}, false
	}
	how := "could not be captured"
	if r.File != nil {
		how = "is not whole"
	}
	what, subject := r.Step.What, r.Step.Path
	if errors.As(r.Err, new(profilesError)) {
		what, subject = messages.EvidenceProfile, "profiles"
	}
	reason := subject + " " + how + ": " + mask.Text(strings.ToValidUTF8(r.Err.Error(), "?"))
	if len(reason) > messages.MaxIncidentText {
		reason = strings.ToValidUTF8(reason[:messages.MaxIncidentText-len("...")], "") + "..."
	}
	return messages.EvidenceMissing{What: what, Reason: reason}, true
}

// Turn is held by whoever asks the node for something heavy: one at a time.
type Turn chan struct{}

// NewTurn returns a turn that nobody holds.
func NewTurn() Turn { return make(Turn, 1) }

var errOtherCapture = errors.New("another capture of the node had not ended")

// Take waits for the turn, until ctx ends. A nil Turn is always free.
func (t Turn) Take(ctx context.Context) error {
	if t == nil {
		return nil
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errOtherCapture
	}
}

// Give gives the turn back.
func (t Turn) Give() {
	if t != nil {
		<-t
	}
}
