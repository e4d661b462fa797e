package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkAbsent returns an error if there is something at the path.
func checkAbsent(path string) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return fmt.Errorf("%s exists: nothing is overwritten", path)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return err
	}
}

// temporaryOf returns the name of the output until it is whole. The process id makes it one that no
// other run uses, and tells a user which run has left it.
func temporaryOf(path string) string {
	return fmt.Sprintf("%s.tmp-%d", filepath.Clean(path), os.Getpid())
}

// intoFile calls f with a file that has its name when f has returned without an error.
func intoFile(path string, f func(*os.File) error) error {
	path = filepath.Clean(path) // without a slash at the end
	if err := checkAbsent(path); err != nil {
		return err
	}
	name := temporaryOf(path)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	err = f(file)
	if err == nil {
		err = file.Sync()
	}
	return finish(name, path, errors.Join(err, file.Close()))
}

// intoDir calls f with a directory that has its name when f has returned without an error.
func intoDir(path string, f func(dir string) error) error {
	path = filepath.Clean(path)
	if err := checkAbsent(path); err != nil {
		return err
	}
	name := temporaryOf(path)
	if err := os.Mkdir(name, 0o777); err != nil {
		return err
	}
	return finish(name, path, f(name))
}

// finish renames what was written, or removes it if there was an error.
func finish(name, path string, err error) error {
	if err == nil {
		err = checkAbsent(path)
	}
	if err == nil {
		err = os.Rename(name, path)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(name))
	}
	return nil
}
