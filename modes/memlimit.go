package modes

import "fmt"

// memoryLimit() is of each system: how much memory the process may use, in bytes, and what
// says so, for people. On Linux that is the limit of its control group, if it has one; else,
// and on all other systems, the memory of the machine.

// shareOfMemory returns so many percent of the memory limit, which the flag asks for.
func shareOfMemory(flag string, percent int) (int64, error) {
	limit, source, err := memoryLimit()
	if err != nil {
		return 0, fmt.Errorf("--%s %d: memory limit of this process: %w", flag, percent, err)
	}
	share := limit / 100 * int64(percent)
	if share == 0 {
		return 0, fmt.Errorf("--%s %d of %d bytes (%s) leaves nothing", flag, percent, limit, source)
	}
	return share, nil
}
