package diskfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// lockName is the file that is locked. It stays when the lock is released: who holds the lock is
// known to the system alone, so the file of a process that was killed does no harm.
const lockName = "lock"

// maxPIDText is the longest process id that is read, in bytes.
const maxPIDText = 20

// errLocked is what lockFile returns if another open file has the lock.
var errLocked = errors.New("locked")

// HeldError says that another process holds the lock of a directory.
type HeldError struct {
	Dir string
	// PID is the process, 0 if it is not known.
	PID int
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("directory %s is in use by another process", e.Dir)
	}
	return fmt.Sprintf("directory %s is in use by process %d", e.Dir, e.PID)
}

// Held is the lock of a directory. The system releases it when the process ends, however that
// happens.
type Held struct {
	file *os.File
}

// Lock locks a directory for this process, and makes it if need be. It does not wait. It returns a
// *HeldError if another process has locked it; any other error says why the directory cannot be
// used. A directory that cannot be written is locked if a lock file is there.
func Lock(dir string) (*Held, error) {
	if err := makeDirectory(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, lockName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, filePermissions)
	writable := err == nil
	if err != nil {
		readOnly, openErr := os.Open(path)
		if openErr != nil {
			return nil, err
		}
		file = readOnly
	}
	if err := lockFile(file); err != nil {
		defer file.Close()
		if errors.Is(err, errLocked) {
			return nil, &HeldError{Dir: dir, PID: readPID(file)}
		}
		return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
	}
	if writable {
		// For the message of another process alone: without it the lock is as good.
		_ = writePID(file)
	}
	return &Held{file: file}, nil
}

// Present returns an error unless the lock file in the directory still is the one that is locked.
func (h *Held) Present() error { return (&file{h.file}).Present() }

// Release releases the lock.
func (h *Held) Release() error { return h.file.Close() }

func writePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// readPID returns the process id in the lock file, 0 if there is none.
func readPID(file *os.File) int {
	text, err := io.ReadAll(io.NewSectionReader(file, 0, maxPIDText))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}
