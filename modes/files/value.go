package files

import (
	"sync/atomic"
	"time"
)

// Load makes a value of files, which it reads with the reader alone. The error names the file, and has no secret.
// What it reads may change between two files: it is called again then.
type Load[T any] func(r *Reader, now time.Time) (Loaded[T], error)

// Loaded is what a Load has made.
type Loaded[T any] struct {
	Value T
	// Certificates are those that expire.
	Certificates []Certificate
}

// Value is what was made of files, in its newest version.
type Value[T any] struct {
	current atomic.Pointer[T]
	changed func(T)
}

// Get returns the newest version. It never blocks.
func (v *Value[T]) Get() T { return *v.current.Load() }

// Watch loads a value at once, and again whenever its files change, until the watcher is stopped. name is the flag that
// names the files, without dashes; it is in the error. changed is called with each newer version, by a goroutine of the
// watcher; nil: nobody is told.
func Watch[T any](w *Watcher, name string, load Load[T], changed func(T)) (*Value[T], error) {
	v := &Value[T]{changed: changed}
	err := w.add(name, func(r *Reader, now time.Time) (func(), []Certificate, error) {
		loaded, err := load(r, now)
		return func() { v.set(loaded.Value) }, loaded.Certificates, err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (v *Value[T]) set(to T) {
	first := v.current.Swap(&to) == nil
	if !first && v.changed != nil {
		v.changed(to)
	}
}

// Once loads a value, and watches nothing.
func Once[T any](load Load[T], now time.Time) (Loaded[T], error) { return load(newReader(), now) }
