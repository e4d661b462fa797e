package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"fodc/messages"
)

const (
	// defaultParallel is how many steps run at a time that do not ask the node, beside those that follow.
	defaultParallel = 3
	// defaultTotal bounds the time in which steps begin. Whatever has not begun by then is not tried.
	defaultTotal = 2 * time.Minute
	// stepGrace is how long a step whose time is over may take to return.
	stepGrace = time.Second
	// keepGrace is how long it may take to keep what there is of a step that is left to itself.
	keepGrace = 5 * time.Second
	// maxMoreSteps bounds the steps that one finds.
	maxMoreSteps = 200
)

// Runner runs steps. One that fails or hangs ends no other one.
type Runner struct {
	// Open opens what a step writes to. It may hang: that is a part of the step.
	Open func(Step) (Output, error)
	// Begin is told what begins, Done what became of it; both may be nil. They are called by several goroutines.
	Begin func(Step)
	Done  func(Result)
	// Turn is taken for each heavy step.
	Turn Turn
	// Hurry, if it is not nil, has the steps that can wait run after pauses, until it is closed.
	Hurry <-chan struct{}
	// Waited, if it is not nil, is called when all steps have ended that can wait.
	Waited func()
	// Parallel and Total are 3 steps and two minutes, if they are zero.
	Parallel int
	Total    time.Duration
}

// Run runs the steps, and returns when all have ended or are left to themselves: those that follow end after
// the incident is frozen. When ctx ends, nothing begins any more.
func (r *Runner) Run(ctx context.Context, steps []Step) {
	total := cmp.Or(r.Total, defaultTotal)
	begins, cancel := context.WithTimeoutCause(ctx, total, errTotal)
	defer cancel()
	var all sync.WaitGroup
	var now, later []Step
	for _, s := range steps {
		switch {
		case s.Until != nil:
			all.Go(func() { r.step(ctx, ctx, s) })
		case s.Stays && r.Hurry != nil:
			if s.Hold != nil {
				go func() { _, _ = safely(func() (bool, error) { s.Hold(ctx); return true, nil }) }()
			}
			later = append(later, s)
		default:
			now = append(now, s)
		}
	}
	all.Go(func() {
		begins, cancel := context.WithTimeoutCause(ctx, total+maxPauses, errTotal)
		defer cancel()
		r.paced(ctx, begins, later)
		if r.Waited != nil {
			r.Waited()
		}
	})
	r.together(ctx, begins, now)
	all.Wait()
}

// together runs steps, heavy ones one at a time, and some of the others at a time.
func (r *Runner) together(ctx, begins context.Context, steps []Step) {
	heavy, light := make(chan Step, len(steps)), make(chan Step, len(steps))
	for _, s := range steps {
		if s.Heavy {
			heavy <- s
		} else {
			light <- s
		}
	}
	close(heavy)
	close(light)
	work := func(queue chan Step) func() {
		return func() {
			for s := range queue {
				r.step(ctx, begins, s)
			}
		}
	}
	var all sync.WaitGroup
	all.Go(work(heavy))
	for range cmp.Or(r.Parallel, defaultParallel) {
		all.Go(work(light))
	}
	all.Wait()
}

var errTotal = errors.New("the captures take too long")

// step runs one step, if begins has not ended, and whatever it finds.
func (r *Runner) step(ctx, begins context.Context, s Step) {
	for _, m := range r.one(ctx, begins, s).more {
		r.step(ctx, begins, m)
	}
}

// one runs one step, if begins has not ended.
func (r *Runner) one(ctx, begins context.Context, s Step) (did stepped) {
	if s.Heavy && begins.Err() == nil {
		if err := r.Turn.Take(begins); err != nil {
			r.done(Result{Step: s, Err: fmt.Errorf("it was not begun: %w", err)})
			return did
		}
	} else if begins.Err() != nil {
		r.done(Result{Step: s, Err: r.notBegun(begins, s)})
		return did
	}
	result, more := r.run(ctx, s)
	if result.Err != nil || result.File != nil {
		r.done(result)
	}
	did.more = more
	if result.File != nil {
		did.bytes = result.File.Bytes
	}
	return did
}

func (r *Runner) done(result Result) {
	if r.Done != nil {
		r.Done(result)
	}
}

func (r *Runner) notBegun(begins context.Context, s Step) error {
	if errors.Is(context.Cause(begins), errTotal) {
		return fmt.Errorf("it was not begun: what came before took longer than %s", cmp.Or(r.Total, defaultTotal))
	}
	return fmt.Errorf("it was not begun: %w", context.Cause(begins))
}

// ran is what a step returns.
type ran struct {
	result Result
	more   []Step
}

// run runs a step in a goroutine of its own, and waits for as long as the step may take.
func (r *Runner) run(ctx context.Context, s Step) (Result, []Step) {
	result := Result{Step: s, Began: time.Now()}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	o := newOutput(s)
	ended := make(chan ran, 1)
	go func() {
		defer func() {
			if s.Heavy {
				r.Turn.Give()
			}
		}()
		more, err := r.attempt(ctx, s, o)
		file, err := safely(func() (*messages.EvidenceFile, error) { return o.close(stepError(ctx, s, err)) })
		ended <- ran{Result{File: file, Err: err}, more}
	}()
	did := r.wait(ctx, stop, s, o, ended)
	result.File, result.Err, result.Took = did.result.File, did.result.Err, time.Since(result.Began)
	return result, did.more
}

// wait waits for the end of a step, at most for as long as it may take.
func (r *Runner) wait(ctx context.Context, stop context.CancelCauseFunc, s Step, o *output, ended <-chan ran) ran {
	if s.Until != nil {
		select {
		case did := <-ended:
			return did
		case <-s.Until:
		case <-ctx.Done():
			return r.overdue(ctx, s, o, ended)
		}
	}
	timeout := time.NewTimer(s.Timeout)
	defer timeout.Stop()
	select {
	case did := <-ended:
		return did
	case <-timeout.C:
		stop(errTime)
	case <-ctx.Done():
	}
	return r.overdue(ctx, s, o, ended)
}

// overdue waits a little for a step whose context has ended, and then leaves it to itself.
func (r *Runner) overdue(ctx context.Context, s Step, o *output, ended <-chan ran) (did ran) {
	timer := time.NewTimer(stepGrace)
	defer timer.Stop()
	select {
	case did = <-ended:
		return did
	case <-timer.C:
	}
	err := fmt.Errorf("it hangs: it did not end with its time of %s", s.Timeout)
	if !errors.Is(context.Cause(ctx), errTime) {
		err = fmt.Errorf("it hangs: %w", context.Cause(ctx))
	}
	keep, cancel := context.WithTimeout(context.Background(), keepGrace)
	defer cancel()
	did.result.File, did.result.Err = o.leave(keep, err)
	return did
}

// attempt runs the step. A panic is an error.
func (r *Runner) attempt(ctx context.Context, s Step, o *output) ([]Step, error) {
	return safely(func() ([]Step, error) { return r.begin(ctx, s, o) })
}

func (r *Runner) begin(ctx context.Context, s Step, o *output) (more []Step, err error) {
	if s.Ready != nil {
		if err := s.Ready(ctx); err != nil {
			return nil, err
		}
	}
	if r.Begin != nil {
		r.Begin(s)
	}
	if s.More != nil {
		more, err = s.More(ctx)
		if len(more) > maxMoreSteps {
			more, err = more[:maxMoreSteps], errors.Join(err, fmt.Errorf("there are %d files, the first %d are taken", len(more), maxMoreSteps))
		}
		return more, err
	}
	to, err := r.Open(s)
	if err != nil {
		return nil, fmt.Errorf("it cannot be kept: %w", err)
	}
	if !o.open(to) {
		return nil, errLeft
	}
	return nil, s.Run(ctx, o)
}

// safely turns a panic into an error, without its text: that may have parts of what was read.
func safely[T any](f func() (T, error)) (value T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("unexpected %T", p)
		}
	}()
	return f()
}

// stepError returns the error of a step, which says so if its time was over.
func stepError(ctx context.Context, s Step, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errTime) && (errors.Is(err, context.Canceled) || errors.Is(err, errTime)) {
		return fmt.Errorf("it was not complete within %s", s.Timeout)
	}
	return err
}
