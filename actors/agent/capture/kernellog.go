package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"fodc/messages"
)

const (
	kernelPath       = "logs/kernel.log"
	kernelFrozenPath = "logs/kernel-freeze.log"
	// maxKernelBytes and maxKernelLines bound what is kept of the kernel's log: its end.
	maxKernelBytes = 256 << 10
	maxKernelLines = 1000
	// maxKernelRecord bounds a record of it; the kernel's are shorter.
	maxKernelRecord = 8 << 10
	// maxKernelRecords bounds how many are read: the log may grow as fast as that.
	maxKernelRecords = 1 << 20
	kernelTimeout    = 10 * time.Second
	// kernelClock is how far the time of a record may be off.
	kernelClock = time.Second
)

// kernelRecords returns the records of the kernel's log one by one, and io.EOF behind the newest.
type kernelRecords interface {
	next() ([]byte, error)
	close()
}

// kernelSteps returns the step of what the kernel has logged since a time; zero: of its last lines.
func (c *Config) kernelSteps(path string, since time.Time) []Step {
	if !c.KernelLog {
		return nil
	}
	open := openKernelLog
	if c.kernelLog != nil {
		open = c.kernelLog
	}
	return []Step{{What: messages.EvidenceKernelLog, Path: path, Limit: 2 * maxKernelBytes, Timeout: kernelTimeout, Parts: true, Stays: true,
		Run: func(ctx context.Context, w io.Writer) error {
			records, boot, err := open()
			if err != nil {
				return fmt.Errorf("the kernel's log cannot be read: %w", err)
			}
			defer records.close()
			last, err := lastRecords(ctx, records)
			t := newTextWriter(w)
			lines := 0
			for _, r := range last {
				if at, ok := timeOfRecord(r, boot); ok && at.Before(since.Add(-kernelClock)) {
					continue
				}
				lines++
				t.line(kernelLine(r, boot))
			}
			if err == nil && lines == 0 {
				t.note("(the kernel has logged nothing since %s)", cmp.Or(since, boot).UTC().Format(time.RFC3339))
			}
			if err != nil {
				err = fmt.Errorf("the kernel's log cannot be read: %w", err)
			}
			return errors.Join(t.flush(), err)
		}}}
}

// lastRecords reads all records, and keeps the last ones.
func lastRecords(ctx context.Context, records kernelRecords) (last []string, err error) {
	bytes := 0
	for range maxKernelRecords {
		if ctx.Err() != nil {
			return last, context.Cause(ctx)
		}
		r, err := records.next()
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			return last, err
		}
		last, bytes = append(last, string(r)), bytes+len(r)
		for len(last) > maxKernelLines || bytes > maxKernelBytes {
			bytes -= len(last[0])
			last = last[1:]
		}
	}
	return last, nil
}

// timeOfRecord returns when a record was logged.
func timeOfRecord(record string, boot time.Time) (time.Time, bool) {
	prefix, _, _ := strings.Cut(record, ";")
	fields := strings.Split(prefix, ",")
	if len(fields) < 3 {
		return time.Time{}, false
	}
	micros, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || micros < 0 {
		return time.Time{}, false
	}
	return boot.Add(time.Duration(min(micros, 1<<53)) * time.Microsecond), true
}

// kernelLine returns a record of /dev/kmsg as a line: "priority,sequence,microseconds,...;text", and further lines with
// key=value that are left out. Its time is since boot.
func kernelLine(record string, boot time.Time) string {
	record, _, _ = strings.Cut(record, "\n")
	prefix, text, ok := strings.Cut(record, ";")
	fields := strings.Split(prefix, ",")
	if !ok || len(fields) < 3 {
		return record
	}
	priority, err := strconv.Atoi(fields[0])
	at, valid := timeOfRecord(record, boot)
	if err != nil || !valid {
		return record
	}
	levels := []string{"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"}
	micros := at.Sub(boot).Microseconds()
	return fmt.Sprintf("%s [%d.%06d] %s: %s", at.UTC().Format("2006-01-02T15:04:05.000Z"), micros/1e6, micros%1e6, levels[priority&7], text)
}
