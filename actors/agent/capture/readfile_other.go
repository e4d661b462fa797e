//go:build !linux

package capture

import (
	"bytes"
	"io"
	"os"
)

// readFile reads a file of the kernel.
func readFile(name string) (text bytes.Buffer, err error) {
	file, err := os.Open(name)
	if err != nil {
		return text, err
	}
	defer func() { _ = file.Close() }()
	_, err = text.ReadFrom(io.LimitReader(file, maxProcFile))
	return text, err
}
