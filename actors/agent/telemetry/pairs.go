package telemetry

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxFileBytes bounds what is read of a file.
const maxFileBytes = 1 << 20

// readText returns the contents of a file, up to maxFileBytes. Files of the kernel have no
// length, so it reads to the end.
func readText(dir, name string) (string, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes))
	return string(text), err
}

// eachPair calls f for each line "name number" of a file. It skips other lines and returns
// an error about the first of them.
func eachPair(dir, file string, f func(name string, value uint64)) error {
	text, err := readText(dir, file)
	if err != nil {
		return err
	}
	var first error
	lines := 0
	for line := range strings.Lines(text) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		value, err := strconv.ParseUint(number, 10, 64)
		if err != nil || !isWord(name) {
			first = firstOf(first, fmt.Errorf("%s has a line that is no name and number: %.100q", file, line))
			continue
		}
		lines++
		f(name, value)
	}
	if lines == 0 {
		return firstOf(first, fmt.Errorf("%s is empty", file))
	}
	return first
}

// isWord reports whether the text can be a part of a metric's name.
func isWord(text string) bool {
	for i := range len(text) {
		if c := text[i]; c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return text != ""
}

// readNumber reads a file that has one whole number in it. ok is false if the file says
// "max": there is no limit.
func readNumber(dir, file string) (n uint64, ok bool, err error) {
	text, err := readText(dir, file)
	if err != nil {
		return 0, false, err
	}
	text = strings.TrimSpace(text)
	if text == "max" {
		return 0, false, nil
	}
	n, err = strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, false, fmt.Errorf("%s is no number: %.100q", file, text)
	}
	return n, true, nil
}
