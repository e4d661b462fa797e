package disktest

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
)

// ErrStopped is what operations return after the process has ended: see StopAfter and After.
var ErrStopped = errors.New("the process has ended")

// Fault is something that goes wrong with operations.
type Fault struct {
	// Op is the kind of operation, all if it is empty. Name is a file, or a directory and all that is below it; all if it is
	// empty.
	Op   Op
	Name string
	// Skip is how many such operations come through first, and Times how many are hit then: all if it is 0.
	Skip, Times int
	// Err is what the operation returns, wrapped in a *fs.PathError. It is not done then, but for the first Written bytes of a
	// write. Without Err the operation is done.
	Err     error
	Written int
	// Hang has the operation wait until the channel is closed.
	Hang <-chan struct{}
}

type stop struct {
	after int
	rng   *rand.Rand
}

type fault struct {
	Fault
	healed bool
}

// hit is what happens to one operation.
type hit struct {
	err     error
	written int
	stop    *stop
}

// Break makes operations fail. The function that it returns ends that.
func (d *Disk) Break(f Fault) (heal func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	made := &fault{Fault: f}
	d.faults = append(d.faults, made)
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		made.healed = true
	}
}

// Heal ends all faults.
func (d *Disk) Heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = nil
}

// StopAfter has the process end in the n-th operation from now on. That one may be done, or of a write any
// part. It and all that follow return ErrStopped.
func (d *Disk) StopAfter(n int, rng *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stop = &stop{after: n, rng: rng}
}

// Stopped reports whether the process has ended.
func (d *Disk) Stopped() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopped
}

// do does an operation, or has it fail.
func (d *Disk) do(op Op, name string, f func() error) (err error) {
	hit := d.begin(op, name)
	defer d.end(op, name)
	switch {
	case hit.stop != nil:
		if hit.stop.rng.IntN(2) == 0 {
			_ = f() // Whether it is done or not, nobody hears of it.
		}
		return failure(op, name, ErrStopped)
	case hit.err != nil:
		return failure(op, name, hit.err)
	}
	return failure(op, name, f())
}

// begin counts an operation, waits while it hangs and returns what happens to it. It leaves d.mu locked: end
// unlocks it.
func (d *Disk) begin(op Op, name string) hit {
	d.mu.Lock()
	d.ops++
	h := hit{}
	if d.stopped {
		h.err = ErrStopped
		return h
	}
	for _, f := range d.faults {
		if f.healed || f.Op != "" && f.Op != op || f.Name != "" && f.Name != name && !strings.HasPrefix(name, f.Name+"/") {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			f.Times--
			f.healed = f.Times == 0
		}
		if f.Hang != nil {
			d.mu.Unlock()
			<-f.Hang
			d.mu.Lock()
		}
		h.err, h.written = f.Err, f.Written
		break
	}
	if d.stop != nil {
		if d.stop.after--; d.stop.after <= 0 {
			h.stop, d.stopped = d.stop, true
		}
	}
	return h
}

func (d *Disk) end(op Op, name string) {
	watch := d.watch
	d.mu.Unlock()
	if watch != nil {
		watch(op, name)
	}
}

func failure(op Op, name string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &fs.PathError{Op: string(op), Path: name, Err: err}
}
