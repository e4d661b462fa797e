package banyandb

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"fodc/actors/agent/mask"
	"fodc/messages"
)

// Limits of the reports.
const (
	maxReports     = 5
	maxReportBytes = 1 << 20
	// maxReportEntries bounds how many files of the directory are looked at.
	maxReportEntries = 10_000
	entriesAtOnce    = 256
)

// reportFile is a file that may be a report.
type reportFile struct {
	name     string
	modified time.Time
	bytes    int64
}

// ReadReports returns the newest reports of the directory, the newest first: regular files whose names
// end in .json. The error says what was left out; there may be reports nevertheless. Without the
// directory there are none, and no error. It takes as long as the disk does.
func ReadReports(dir string) ([]messages.LifecycleReport, error) {
	root, err := openDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files, problems := listReports(root)
	var reports []messages.LifecycleReport
	for _, f := range files {
		if len(reports) == maxReports {
			break
		}
		text, err := readReport(root, f)
		switch {
		case errors.Is(err, fs.ErrNotExist): // removed meanwhile
		case err != nil:
			problems = append(problems, err)
		default:
			reports = append(reports, messages.LifecycleReport{Filename: mask.Key(strings.ToValidUTF8(f.name, "\uFFFD")), JSON: maskReport(text)})
		}
	}
	return reports, errors.Join(problems...)
}

// openDir opens the directory. It refuses a link, which anybody may have made where everybody may
// write.
func openDir(dir string) (*os.Root, error) {
	found, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	if !found.IsDir() {
		return nil, fmt.Errorf("%q is not a directory, but a file or a link", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	opened, err := root.Stat(".")
	if err == nil && !os.SameFile(found, opened) {
		err = fmt.Errorf("%q was replaced while it was opened", dir)
	}
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return root, nil
}

// listReports returns the files that may be reports, the newest first.
func listReports(root *os.Root) (files []reportFile, problems []error) {
	d, err := root.Open(".")
	if err != nil {
		return nil, []error{err}
	}
	defer d.Close()
	for seen := 0; ; {
		entries, err := d.ReadDir(entriesAtOnce)
		for _, e := range entries {
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() && strings.HasSuffix(e.Name(), ".json") {
				files = append(files, reportFile{e.Name(), info.ModTime(), info.Size()})
			}
		}
		seen += len(entries)
		if seen >= maxReportEntries {
			problems = append(problems, fmt.Errorf("the directory has more than %d files: others are not looked at", maxReportEntries))
			break
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				problems = append(problems, err)
			}
			break
		}
	}
	slices.SortFunc(files, func(a, b reportFile) int {
		return cmp.Or(b.modified.Compare(a.modified), cmp.Compare(b.name, a.name))
	})
	return files, problems
}

// readReport returns the content of a file.
func readReport(root *os.Root, of reportFile) (string, error) {
	tooLarge := fmt.Errorf("%q has more than %d bytes", of.name, maxReportBytes)
	if of.bytes > maxReportBytes {
		return "", tooLarge
	}
	f, err := root.OpenFile(of.name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a named pipe would block
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%q is not a regular file", of.name)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxReportBytes+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxReportBytes {
		return "", tooLarge
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), nil
}
