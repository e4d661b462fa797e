package telemetry

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// maxSchedstatBytes is more than three numbers of 64 bits take.
const maxSchedstatBytes = 128

const (
	waitedHelp     = "Time that threads of the node's process were ready to run and waited for a processor, since the agent first saw the process."
	timeslicesHelp = "Times that a thread of the node's process was given a processor, since the agent first saw the process."
)

// readRunQueue reads the schedstat of the process's threads. The kernel has none of the whole process.
func readRunQueue(r *samples, proc string, q *runQueue, pid int, started uint64) error {
	dir := filepath.Join(proc, strconv.Itoa(pid), "task")
	names, err := firstNames(dir, maxThreads+1)
	if err != nil {
		return err
	}
	q.begin(pid, started)
	read, first := 0, error(nil)
	one := func(thread int) {
		times, err := readThread(dir, thread)
		switch {
		case err == nil:
			q.read(thread, times)
			read++
		case errors.Is(err, fs.ErrNotExist) && exists(filepath.Join(dir, strconv.Itoa(thread))):
			first = firstOf(first, err) // The kernel keeps no such times.
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
			q.ended(thread)
		default:
			first = firstOf(first, err)
		}
	}
	// Those that are known come first, and whether they are in the list or not: a list that is read while threads
	// end may lack some that live.
	for _, thread := range slices.Sorted(maps.Keys(q.threads)) {
		one(thread)
	}
	tooMany := len(names) > maxThreads
	for _, name := range names {
		thread, err := strconv.Atoi(name)
		if err != nil || q.known(thread) {
			continue
		}
		if q.full() {
			tooMany = true
			break
		}
		one(thread)
	}
	q.end(first == nil && !tooMany)
	if read > 0 {
		r.counter(processPrefix+"run_queue_seconds_total", waitedHelp, nanoseconds(q.total.waited))
		r.counter(processPrefix+"timeslices_total", timeslicesHelp, float64(q.total.timeslices))
	}
	if tooMany {
		first = firstOf(first, fmt.Errorf("more than %d threads: the oldest %d are read", maxThreads, maxThreads))
	}
	return first
}

// firstNames returns up to n names of a directory, in its order. The kernel lists threads by their age.
func firstNames(dir string, n int) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(n)
	if len(names) > 0 {
		return names, nil
	}
	return nil, fmt.Errorf("%s is empty: %w", dir, err)
}

func readThread(dir string, thread int) (t threadTimes, err error) {
	f, err := os.Open(filepath.Join(dir, strconv.Itoa(thread), "schedstat"))
	if err != nil {
		return t, err
	}
	defer f.Close()
	var buffer [maxSchedstatBytes]byte
	n, err := f.Read(buffer[:])
	if n == 0 && err != nil {
		return t, err
	}
	return parseSchedstat(string(buffer[:n]))
}

// parseSchedstat reads three numbers: the times that a thread ran and waited, and how many times it ran.
func parseSchedstat(text string) (t threadTimes, err error) {
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return t, fmt.Errorf("schedstat has %d figures, 3 are expected: %.100q", len(fields), text)
	}
	for i, to := range []*uint64{&t.ran, &t.waited, &t.timeslices} {
		if *to, err = strconv.ParseUint(fields[i], 10, 64); err != nil {
			return threadTimes{}, fmt.Errorf("schedstat has a figure that is no number: %.100q", text)
		}
	}
	return t, nil
}
