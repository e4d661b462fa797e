package modes

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"fodc/modes/files"
	"fodc/modes/logsink"
)

const (
	// expiryNotice is how long before the end of a certificate a check warns of it.
	expiryNotice = 7 * 24 * time.Hour
	day          = 24 * time.Hour
	// readableByAll is the bit of a file's mode that lets every user of the machine read it.
	readableByAll = 0o004
)

// configReport is what a check of a configuration has found. Lines have no control characters.
type configReport struct {
	now                       time.Time
	facts, warnings, problems []string
	certificates              []files.Certificate
}

func newConfigReport(now time.Time) *configReport { return &configReport{now: now} }

func (r *configReport) fact(format string, args ...any) {
	r.facts = append(r.facts, "ok       "+logsink.Printable(fmt.Sprintf(format, args...)))
}

// warn is about the file of a flag, or another value of it.
func (r *configReport) warn(flag, format string, args ...any) {
	r.warnings = append(r.warnings, "warning  --"+flag+": "+logsink.Printable(fmt.Sprintf(format, args...)))
}

// problem says why a file of a flag cannot be used, and what to look at. The error names the file.
func (r *configReport) problem(flag string, err error, next string) {
	text := strings.TrimPrefix(oneLine(err.Error()), "--"+flag+": ")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		next = "whether the path is right, and the file is written or mounted where the program runs"
	case errors.Is(err, fs.ErrPermission):
		next = "the owner and the mode of the file and of its directories: this check ran as the user " + strconv.Itoa(os.Getuid())
	}
	r.problems = append(r.problems, "PROBLEM  --"+flag+": "+logsink.Printable(text+". Look at: "+next))
}

// counted is a number of things for people.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// oneLine joins the lines of an error of YAML, whose first one ends with a colon.
func oneLine(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": ")
}

// loadFor loads the files of a flag once. It reports false after a problem.
func loadFor[T any](r *configReport, flag, next string, load files.Load[T]) (value T, ok bool) {
	loaded, err := files.Once(load, r.now)
	if err != nil {
		r.problem(flag, err, next)
		return value, false
	}
	r.certificates = append(r.certificates, loaded.Certificates...)
	return loaded.Value, true
}

// reader returns what reads the files that a file of a flag names. It warns of secrets that everybody may read.
func (r *configReport) reader(flag, of string) func(path string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		loaded, err := files.Once(func(from *files.Reader, _ time.Time) (l files.Loaded[[]byte], err error) {
			l.Value, err = from.Read(path)
			return l, err
		}, r.now)
		isPublic := strings.Contains(string(loaded.Value), "BEGIN CERTIFICATE") && !strings.Contains(string(loaded.Value), "PRIVATE KEY")
		if err == nil && path != of && !isPublic {
			r.checkSecret(flag, path)
		}
		return loaded.Value, err
	}
}

// checkSecret warns of a file with a secret that all users of the machine may read.
func (r *configReport) checkSecret(flag, path string) {
	if path == "" || runtime.GOOS == "windows" {
		return
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&readableByAll != 0 {
		r.warn(flag, "%q can be read by all users of the machine (mode %#o): chmod o-r", path, info.Mode().Perm())
	}
}

// expire adds certificates that were read for a flag.
func (r *configReport) expire(flag string, certificates []*x509.Certificate) {
	r.certificates = append(r.certificates, files.Certificates(flag, certificates)...)
}

// checkExpiry says when certificates expire.
func (r *configReport) checkExpiry() {
	for _, c := range r.certificates {
		at, left := c.NotAfter.UTC().Format(time.RFC3339), c.NotAfter.Sub(r.now)
		switch {
		case left < 0:
			r.warn(c.Flag, "the certificate of %q has expired at %s", c.Subject, at)
		case left < expiryNotice:
			r.warn(c.Flag, "the certificate of %q expires at %s, in less than %s", c.Subject, at, counted(int(left/day)+1, "day"))
		default:
			r.fact("the certificate of %q (--%s) expires at %s, in %s", c.Subject, c.Flag, at, counted(int(left/day), "day"))
		}
	}
}

// openAddrs returns the addresses that others than this machine reach.
func openAddrs(addrs []string) (open []string) {
	for _, a := range addrs {
		if !isLoopback(a) {
			open = append(open, a)
		}
	}
	return open
}
