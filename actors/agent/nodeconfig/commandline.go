package nodeconfig

import (
	"regexp"
	"strings"

	"fodc/actors/agent/mask"
)

// Keys of the parts of a command line that are not flags. No flag has such a name.
const (
	keyCommand   = "command"   // the program and its subcommands
	keyArguments = "arguments" // positional arguments, and all that follows --
)

// secretName is a name whose value is never shown.
const secretName = "secret"

var flagName = regexp.MustCompile(`^(?:--?[A-Za-z0-9][\w.\-:/]*|--\pL[\pL\w.\-:/]*)$`)

// parseCommandLine returns flag -> value, with the dashes in the key. The value follows =, or
// is the next argument. If the next argument is a flag, too, the value is "true". The values
// of a flag that is given several times are joined by commas.
func parseCommandLine(args []string) *params {
	c := commandLine{values: map[string]string{}}
	if i := c.command(args); i < len(args) {
		c.flags(args[i:])
	}
	p := &params{}
	for _, key := range c.order {
		name := key
		if c.hidden[key] {
			name = secretName
		}
		p.text(key, name, c.values[key])
	}
	return p
}

type commandLine struct {
	order    []string
	values   map[string]string
	programs []string        // the words before the first flag
	hidden   map[string]bool // flags that are never shown with their value: see addHidden
}

func (c *commandLine) add(key, value string) {
	if former, twice := c.values[key]; twice {
		c.values[key] = former + "," + value
		return
	}
	c.order = append(c.order, key)
	c.values[key] = value
}

// command adds the words before the first flag, and returns their number.
func (c *commandLine) command(args []string) int {
	n := 0
	for n < len(args) && (n == 0 || !isFlag(args[n]) && args[n] != "--") {
		n++
	}
	if n > 0 {
		c.programs = args[:n]
		c.add(keyCommand, strings.Join(args[:n], " "))
	}
	return n
}

func (c *commandLine) flags(args []string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			if i+1 < len(args) {
				c.add(keyArguments, strings.Join(args[i+1:], " "))
			}
			return
		}
		if !isFlag(arg) {
			c.add(keyArguments, arg)
			continue
		}
		key, value, hasValue := strings.Cut(arg, "=")
		isPassword, joined := mask.IsFlagOf(c.programs, arg)
		if joined || !flagName.MatchString(key) {
			c.addHidden(key)
			continue
		}
		if !hasValue {
			value = "true"
			if i+1 < len(args) && isValue(key, args[i+1]) {
				i++
				value = args[i]
			}
		}
		if isPassword && value != "true" {
			c.hide(key)
		}
		c.add(key, value)
	}
}

// addHidden adds a flag whose name has characters that no name has, as in -pHUNTER2!. What
// follows the first letter may be a password, so it is masked.
func (c *commandLine) addHidden(arg string) {
	name := strings.TrimLeft(arg, "-")
	key := arg[:len(arg)-len(name)] + strings.ToValidUTF8(name[:min(len(name), 1)], "?")
	c.hide(key)
	c.add(key, mask.Mark)
}

// hide has the values of a flag masked, whatever its name is.
func (c *commandLine) hide(key string) {
	if c.hidden == nil {
		c.hidden = map[string]bool{}
	}
	c.hidden[key] = true
}

// isFlag reports whether the argument is a flag. A single dash and a negative number are
// values.
func isFlag(arg string) bool {
	return len(arg) > 1 && arg[0] == '-' && !strings.ContainsAny(arg[1:2], "0123456789.")
}

// isValue reports whether the argument is the value of the flag before it. A password may
// begin with a dash, so only -- ends the search for one.
func isValue(key, arg string) bool {
	if arg == "--" {
		return false
	}
	return !isFlag(arg) || mask.IsSecret(key) && !strings.HasPrefix(arg, "--")
}
