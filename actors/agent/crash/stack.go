package crash

import "strings"

// runtimeStack is the first line of the stack of Go's runtime itself.
const runtimeStack = "runtime stack:"

// isGoroutine reports whether a line is the first of a goroutine's stack.
func isGoroutine(line string) bool {
	rest, found := strings.CutPrefix(line, "goroutine ")
	if !found {
		return line == runtimeStack
	}
	return rest != "" && '0' <= rest[0] && rest[0] <= '9' && strings.HasSuffix(line, ":") && strings.Contains(rest, " [")
}

// isStack reports whether a line may be within the stacks that Go's runtime writes.
func isStack(line string) bool {
	switch {
	case line == "", line[0] == '\t', isGoroutine(line):
		return true
	case strings.HasPrefix(line, "created by "), strings.HasPrefix(line, "[originating from goroutine "),
		strings.HasPrefix(line, "runtime: "), strings.HasPrefix(line, "..."), strings.HasPrefix(line, "runtime."):
		return true
	}
	return isFrame(line) || isRegister(line)
}

// isFrame reports whether a line is the call of a function, as in "main.(*T).f(0x1, ...)".
func isFrame(line string) bool {
	name, _, found := strings.Cut(line, "(")
	return found && strings.HasSuffix(line, ")") && name != "" && !strings.ContainsAny(name, " \t{\"")
}

// isRegister reports whether a line is the state of a register, as in "rax    0x0".
func isRegister(line string) bool {
	name, value, found := strings.Cut(line, " ")
	return found && len(name) <= 8 && strings.HasPrefix(strings.TrimLeft(value, " "), "0x")
}

// isSelfWritten reports whether a frame is that of a program that writes its own stack, which goes on after a
// panic then.
func isSelfWritten(frame string) bool {
	return strings.HasPrefix(frame, "runtime/debug.Stack(") || strings.HasPrefix(frame, "runtime/debug.PrintStack(")
}
