package telemetry

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"fodc/messages"
)

const ext4Errors = "Errors that ext4 has found in the file system. They are kept in it until a check has repaired it."

// ext4 reads the error counters of the data directories' file systems. It is a source of its own, since several
// directories may lie in one file system. It knows of those that have been read once.
type ext4 struct {
	sys  string
	dirs []*dataDir
	// names has the last known names of devices by their numbers.
	names map[string]string
}

func newExt4(sys string, dirs []*dataDir) *Source {
	e := &ext4{sys: sys, dirs: dirs, names: map[string]string{}}
	return &Source{name: "ext4", read: func(time.Time) Result { return collect(e.collectors()) }}
}

// collectors returns one for each file system.
func (e *ext4) collectors() (list []collector) {
	seen := map[string]bool{}
	for _, d := range e.dirs {
		m := d.found.Load()
		if m == nil || m.fsType != "ext4" || seen[m.number] {
			continue
		}
		seen[m.number] = true
		list = append(list, collector{"ext4 errors of " + m.device, func(r *samples) error { return e.read(r, m.number) }})
	}
	return list
}

func (e *ext4) read(r *samples, number string) error {
	name, err := e.name(number)
	if err != nil {
		return err
	}
	dir, device := filepath.Join(e.sys, "fs/ext4", name), messages.Label{Name: "device", Value: name}
	n, _, err := readNumber(dir, "errors_count")
	if err != nil {
		return err
	}
	r.counter("fodc_ext4_errors_total", ext4Errors, float64(n), device)
	return firstOf(readErrorTime(r, dir, "first", device), readErrorTime(r, dir, "last", device))
}

// readErrorTime reads when the first or last error was found. 0 is never; old kernels do not say it.
func readErrorTime(r *samples, dir, which string, device messages.Label) error {
	at, _, err := readNumber(dir, which+"_error_time")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && at > 0 {
		r.gauge("fodc_ext4_"+which+"_error_timestamp_seconds", "When ext4 found the "+which+" of its errors, as unix time.", float64(at), device)
	}
	return err
}

// name returns the kernel's name of the device of a file system, under which ext4 has its counters. A number
// may be given to another device.
func (e *ext4) name(number string) (string, error) {
	if name, known := e.names[number]; known && e.has(name, number) {
		return name, nil
	}
	delete(e.names, number)
	names, err := firstNames(filepath.Join(e.sys, "fs/ext4"), maxDevices)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if e.has(name, number) {
			e.names[number] = name
			return name, nil
		}
	}
	return "", fmt.Errorf("ext4 has no device %.20s: %w", number, fs.ErrNotExist)
}

// has reports whether the device of the name has the number.
func (e *ext4) has(name, number string) bool {
	text, err := readText(filepath.Join(e.sys, "class/block", name), "dev")
	return err == nil && strings.TrimSpace(text) == number
}
