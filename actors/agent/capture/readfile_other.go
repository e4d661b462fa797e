//go:build !linux

package capture

import (
	"io"
	"os"
)

// readFile reads a file of the kernel.
func readFile(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxProcFile))
	return string(text), err
}
