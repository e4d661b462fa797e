package modes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const lookAtStorage = "the owner and the mode of the directory, and whether its file system is mounted read-only"

// checkStorage says whether a directory can be written to, or be made. It makes and locks nothing.
func (r *configReport) checkStorage(dir string) {
	const flag = "storage-dir"
	if dir == "" {
		r.fact("keeps everything in memory only")
		return
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		r.problem(flag, err, lookAtStorage)
		return
	}
	at := abs
	for {
		info, err := os.Stat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) && filepath.Dir(at) != at:
			at = filepath.Dir(at)
			continue
		case err != nil:
			r.problem(flag, err, lookAtStorage)
			return
		case !info.IsDir():
			r.problem(flag, fmt.Errorf("%q is no directory", at), "the path")
			return
		}
		break
	}
	if err := writable(at); err != nil {
		r.problem(flag, fmt.Errorf("%q cannot be written to by the user %d: %v", at, os.Getuid(), err), lookAtStorage)
		return
	}
	if at != abs {
		r.fact("keeps what it records in %q, which it makes", abs)
		return
	}
	r.fact("keeps what it records in %q", abs)
}
