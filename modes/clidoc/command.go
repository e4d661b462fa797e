package clidoc

import "strings"

// Command is a command of a program, or the program itself.
type Command struct {
	Name string
	// Usage says in a few words what it does, Description more, in several lines; it may be empty.
	Usage, Description string
	// Operand is how arguments that are no flags are shown, such as FILE...; empty: there are none.
	Operand string
	Flags   []Flag
	// Like is a command that has the same flags but a few, as in "fodc agent": the manual page does not say them again.
	Like string
	// Commands are the subcommands.
	Commands []Command
}

// Flag is a flag of a command.
type Flag struct {
	// Name has no dashes.
	Name string
	// Value is the name of its value, such as FILE; empty: it has none.
	Value string
	// Usage says what it does, in one line.
	Usage string
	// Default is shown as its default; Variable is its environment variable. Both may be empty.
	Default, Variable string
	// Choices are all values that it may have; nil: there are others.
	Choices []string
}

// walk calls f for the command and all below it, with the names on the way: those of the program's own are without the
// program's name.
func (c Command) walk(f func(path []string, c Command)) { c.walkFrom(nil, f) }

func (c Command) walkFrom(path []string, f func(path []string, c Command)) {
	f(path, c)
	for _, sub := range c.Commands {
		sub.walkFrom(append(path[:len(path):len(path)], sub.Name), f)
	}
}

// takesFiles and takesDirectories say what a value or an operand of that name is.
func takesFiles(name string) bool {
	return strings.Contains(name, "FILE") || strings.Contains(name, "BUNDLE") || name == "PATH" || name == "GLOB"
}

func takesDirectories(name string) bool { return strings.Contains(name, "DIR") }
