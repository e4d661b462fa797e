package capture

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// clockTicks is the kernel's USER_HZ: clock ticks a second.
const clockTicks = 100

// thread is what the kernel says of a thread.
type thread struct {
	name, state, wait string
	user, system      float64 // seconds
}

func readThread(dir string) (thread, error) {
	stat, err := readFile(filepath.Join(dir, "stat"))
	if err != nil {
		return thread{}, err
	}
	t, err := parseThread(stat)
	if err != nil {
		return t, err
	}
	if wait, err := readFile(filepath.Join(dir, "wchan")); err == nil {
		if t.wait = strings.TrimSpace(wait); t.wait == "0" {
			t.wait = ""
		}
	}
	return t, nil
}

// parseThread parses a stat file: "id (name) state ...". The name may have spaces and brackets in it.
func parseThread(stat string) (t thread, err error) {
	begin, end := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	if begin < 0 || end < begin {
		return t, fmt.Errorf("the stat of a thread has no name: %.100q", stat)
	}
	fields := strings.Fields(stat[end+1:])
	if len(fields) < 13 {
		return t, fmt.Errorf("the stat of a thread has %d fields", len(fields))
	}
	user, err1 := strconv.ParseUint(fields[11], 10, 64)
	system, err2 := strconv.ParseUint(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return t, fmt.Errorf("the times of a thread are no numbers: %.40q, %.40q", fields[11], fields[12])
	}
	return thread{name: stat[begin+1 : end], state: fields[0], user: float64(user) / clockTicks, system: float64(system) / clockTicks}, nil
}
