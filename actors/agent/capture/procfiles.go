package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fodc/actors/agent/mask"
)

const (
	// maxThreads, maxOpenFiles and maxFileGroups bound what is looked at, the last one the directories that are told apart.
	maxThreads    = 4096
	maxOpenFiles  = 200_000
	maxFileGroups = 20_000
	shownGroups   = 50
	// maxStacks bounds the different stacks of threads in the kernel.
	maxStacks = 500
	// atATime is how many entries of a directory are read at a time.
	atATime = 1000
)

// eachName calls f with the names in a directory, of at most limit. It returns how many there were.
func eachName(ctx context.Context, name string, limit int, f func(string)) (int, error) {
	dir, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer func() { _ = dir.Close() }()
	for n := 0; ; {
		if ctx.Err() != nil {
			return n, context.Cause(ctx)
		}
		names, err := dir.Readdirnames(atATime)
		for _, name := range names {
			if n++; n <= limit {
				f(name)
			}
		}
		if errors.Is(err, io.EOF) || n > limit {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// writeOpenFiles writes how many open files the process has by kind, and the directories with the most of them.
func writeOpenFiles(ctx context.Context, t *textWriter, dir string) error {
	kinds, groups := map[string]int{}, map[string]int{}
	fds := filepath.Join(dir, "fd")
	n, err := eachName(ctx, fds, maxOpenFiles, func(name string) {
		target, err := os.Readlink(filepath.Join(fds, name))
		if err != nil {
			kinds["closed meanwhile, or not readable"]++
			return
		}
		kind, group := kindOf(target)
		kinds[kind]++
		if _, known := groups[group]; !known && len(groups) >= maxFileGroups {
			group = "(other directories)"
		}
		groups[group]++
	})
	if err != nil && n == 0 {
		return err
	}
	t.note("open files: %d", n)
	if n > maxOpenFiles {
		t.note("(of more than %d, the first were looked at)", maxOpenFiles)
	}
	t.note("\n== by kind ==")
	writeCounts(t, kinds, len(kinds))
	t.note("\n== by directory or type, the %d with the most ==", shownGroups)
	writeCounts(t, groups, shownGroups)
	return err
}

// kindOf returns the kind of an open file, and the directory or the type that it is counted under.
func kindOf(target string) (kind, group string) {
	switch {
	case strings.HasPrefix(target, "socket:"):
		return "socket", "socket"
	case strings.HasPrefix(target, "pipe:"):
		return "pipe", "pipe"
	case strings.HasPrefix(target, "anon_inode:"):
		return "anonymous", target
	case strings.HasPrefix(target, "/memfd:"):
		return "anonymous", "memfd"
	case strings.HasPrefix(target, "/dev/"):
		return "device", target
	case strings.HasSuffix(target, " (deleted)"):
		return "deleted file", filepath.Dir(target) + " (deleted)"
	case strings.HasPrefix(target, "/"):
		return "file", filepath.Dir(target)
	}
	name, _, _ := strings.Cut(target, ":")
	return "other", name
}

// writeCounts writes the highest counts.
func writeCounts(t *textWriter, counts map[string]int, limit int) {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) })
	for _, name := range names[:min(len(names), limit)] {
		t.line(fmt.Sprintf("%8d %s", counts[name], mask.Text(strings.ToValidUTF8(name, "?"))))
	}
}

// writeThreads writes a line for each thread, and the different stacks in the kernel where they may be read.
func writeThreads(ctx context.Context, t *textWriter, dir string) error {
	states, stacks := map[string]int{}, map[string]int{}
	var denied error
	t.note("\n%8s %-5s %10s %10s  %-28s %s", "thread", "state", "user s", "system s", "waits in", "name")
	tasks := filepath.Join(dir, "task")
	n, err := eachName(ctx, tasks, maxThreads, func(id string) {
		s, err := readThread(filepath.Join(tasks, id))
		if err != nil {
			states["ended meanwhile"]++
			return
		}
		states[s.state]++
		t.line(fmt.Sprintf("%8s %-5s %10.2f %10.2f  %-28s %s", id, s.state, s.user, s.system, s.wait, s.name))
		_ = t.flush() // What is known, if the next one hangs.
		stack, err := readFile(filepath.Join(tasks, id, "stack"))
		if err != nil {
			denied = err
		} else if text := s.state + "\n" + stack; stacks[text] > 0 || len(stacks) < maxStacks {
			stacks[text]++
		}
	})
	if err != nil && n == 0 {
		return err
	}
	t.note("\n== threads by state: %d ==", n)
	writeCounts(t, states, len(states))
	t.note("\n== stacks in the kernel, counted ==")
	if denied != nil {
		t.note("%s: it takes root", reason(denied))
	}
	for _, text := range slices.SortedFunc(maps.Keys(stacks), func(a, b string) int { return cmp.Or(stacks[b]-stacks[a], cmp.Compare(a, b)) }) {
		t.note("\n%d in state", stacks[text])
		for line := range strings.Lines(text) {
			t.line(strings.TrimSuffix(line, "\n"))
		}
	}
	return err
}
