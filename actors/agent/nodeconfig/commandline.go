package nodeconfig

import (
	"regexp"
	"strings"

	"fodc/actors/agent/mask"
)

// Keys of what a command line has beside its flags. No flag is called so.
const (
	keyCommand   = "command"   // the program and its subcommands
	keyArguments = "arguments" // what stands behind --
)

// hiddenName is a name whose value is never shown.
const hiddenName = "secret"

var flagName = regexp.MustCompile(`^--?[A-Za-z0-9][\w.\-:/]*$`)

// parseCommandLine returns flag -> value, with the dashes in the key. A flag's value
// stands behind = or is the next argument, unless that is a flag too: then the flag is
// "true". One that is given several times has its values with commas between.
func parseCommandLine(args []string) *params {
	c := commandLine{values: map[string]string{}}
	if i := c.command(args); i < len(args) {
		c.flags(args[i:])
	}
	p := &params{}
	for _, key := range c.order {
		name := key
		if c.hidden[key] {
			name = hiddenName
		}
		p.text(key, name, c.values[key])
	}
	return p
}

type commandLine struct {
	order  []string
	values map[string]string
	hidden map[string]bool // flags whose value is part of their name
}

func (c *commandLine) add(key, value string) {
	if former, twice := c.values[key]; twice {
		c.values[key] = former + "," + value
		return
	}
	c.order = append(c.order, key)
	c.values[key] = value
}

// command takes the words before the first flag, and returns how many they are.
func (c *commandLine) command(args []string) int {
	n := 0
	for n < len(args) && (n == 0 || !isFlag(args[n]) && args[n] != "--") {
		n++
	}
	if n > 0 {
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
		if !flagName.MatchString(key) {
			c.hide(key)
			continue
		}
		if !hasValue {
			value = "true"
			if i+1 < len(args) && isValue(key, args[i+1]) {
				i++
				value = args[i]
			}
		}
		c.add(key, value)
	}
}

// hide takes a flag that cannot be a name alone, as -pHUNTER2!: what follows the
// letter may be a password.
func (c *commandLine) hide(arg string) {
	name := strings.TrimLeft(arg, "-")
	key := arg[:len(arg)-len(name)] + strings.ToValidUTF8(name[:min(len(name), 1)], "?")
	if c.hidden == nil {
		c.hidden = map[string]bool{}
	}
	c.hidden[key] = true
	c.add(key, mask.Mark)
}

// isFlag reports whether the argument is no value: a dash alone is one, and so is a
// number below 0.
func isFlag(arg string) bool {
	return len(arg) > 1 && arg[0] == '-' && !strings.ContainsAny(arg[1:2], "0123456789.")
}

// isValue reports whether the argument is the value of the flag before it. A password
// may begin with a dash.
func isValue(key, arg string) bool {
	if arg == "--" {
		return false
	}
	return !isFlag(arg) || mask.IsSecret(key) && !strings.HasPrefix(arg, "--")
}
