package modes

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// envPrefix stands before the upper snake case of a flag's name in the name of its
// environment variable.
const envPrefix = "FODC_"

// option is one flag: it collects the texts that the command line gives, and sees
// to it that the flag goes over the environment and that over the default. Values
// are parsed only then, so that what is wrong is always told in the same words.
type option struct {
	// name has no dashes; usage is one line, with the value's name, if the flag needs a
	// value, in backquotes.
	name, usage string
	// def is the text that is parsed where none is given.
	def string
	// shown is the default that help shows where def does not say it.
	shown string
	// many says that the flag may be given several times; otherwise the last one counts.
	many bool
	// bare says that the flag may stand without a value, which is "true" then.
	bare bool
	// words says that white space separates several values in the environment variable.
	words bool
	// parse takes over the texts, of which there may be none.
	parse func(texts []string) error

	given []string // by the command line
	texts []string // in force, after resolve
	env   bool     // texts come from the environment
}

// Set takes one occurrence of the flag. It is called by the flag package.
func (o *option) Set(text string) error {
	if !o.many {
		o.given = nil
	}
	o.given = append(o.given, text)
	return nil
}

// String is required by the flag package.
func (o *option) String() string { return o.def }

// IsBoolFlag is asked by the flag package.
func (o *option) IsBoolFlag() bool { return o.bare }

func (o *option) envVar() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
}

// resolve decides which texts count and parses them. An environment variable that
// is empty counts as absent.
func (o *option) resolve() error {
	o.texts, o.env = o.given, false
	if len(o.texts) == 0 {
		value := os.Getenv(o.envVar())
		switch {
		case value != "" && o.words:
			o.texts, o.env = strings.Fields(value), true
		case value != "":
			o.texts, o.env = []string{value}, true
		case o.def != "":
			o.texts = []string{o.def}
		}
	}
	return o.parse(o.texts)
}

// explain completes an error about this option: it names the environment variable
// if the value came from there, and shows the value as it was written.
func (o *option) explain(e invalidError) invalidError {
	if o.env {
		e.source = o.envVar()
	}
	if !o.many && len(o.texts) == 1 && !e.absent {
		e.value = o.texts[0]
	}
	return e
}

// cliFlag shows an option to the cli package.
type cliFlag struct{ *option }

var (
	_ cli.DocGenerationFlag = cliFlag{}
	_ cli.VisibleFlag       = cliFlag{}
)

func (f cliFlag) Apply(set *flag.FlagSet) error {
	set.Var(f.option, f.name, f.usage)
	return nil
}

func (f cliFlag) Names() []string      { return []string{f.name} }
func (f cliFlag) IsSet() bool          { return len(f.given) > 0 }
func (f cliFlag) IsVisible() bool      { return true }
func (f cliFlag) TakesValue() bool     { return !f.bare }
func (f cliFlag) GetUsage() string     { return f.usage }
func (f cliFlag) GetValue() string     { return f.def }
func (f cliFlag) GetEnvVars() []string { return []string{f.envVar()} }
func (f cliFlag) String() string       { return cli.FlagStringer(f) }

func (f cliFlag) GetDefaultText() string {
	if f.shown != "" {
		return f.shown
	}
	return f.def
}

func textOption(dst *string, name, def, usage string) *option {
	return &option{name: name, usage: usage, def: def, parse: func(texts []string) error {
		if len(texts) > 0 {
			*dst = texts[0]
		}
		return nil
	}}
}

func boolOption(dst *bool, name string, def bool, usage string) *option {
	return &option{name: name, usage: usage, def: strconv.FormatBool(def), bare: true, parse: func(texts []string) error {
		switch texts[0] {
		case "true", "false":
			*dst = texts[0] == "true"
			return nil
		}
		return invalid(name, texts[0], "must be true or false, as in --%s=false", name)
	}}
}

func choiceOption(dst *string, name, def, usage string, allowed []string) *option {
	o := textOption(dst, name, def, usage)
	o.parse = func(texts []string) error {
		for _, a := range allowed {
			if texts[0] == a {
				*dst = a
				return nil
			}
		}
		last := len(allowed) - 1
		return invalid(name, texts[0], "must be %s or %s", strings.Join(allowed[:last], ", "), allowed[last])
	}
	return o
}

func listOption(dst *[]string, name, usage string) *option {
	return &option{name: name, usage: usage, many: true, words: true, parse: func(texts []string) error {
		*dst = texts
		return nil
	}}
}

func durationOption(dst *time.Duration, name, def, usage string) *option {
	return &option{name: name, usage: usage, def: def, parse: func(texts []string) error {
		d, err := time.ParseDuration(texts[0])
		if err != nil {
			return invalid(name, texts[0], durationAllowed)
		}
		*dst = d
		return checkDuration(name, d)
	}}
}

func intOption[T int | int32](dst *T, name, def, usage string, allowed span) *option {
	return &option{name: name, usage: usage, def: def, parse: func(texts []string) error {
		n, err := allowed.parse(name, texts[0])
		*dst = T(n)
		return err
	}}
}

// span is the whole numbers that a flag may have, both ends included. They fit an
// int32.
type span struct{ low, high int }

func (s span) allowed() string {
	return fmt.Sprintf("must be a whole number from %d to %d", s.low, s.high)
}

func (s span) check(flag string, n int) error {
	if n < s.low || n > s.high {
		return invalid(flag, strconv.Itoa(n), "%s", s.allowed())
	}
	return nil
}

func (s span) parse(flag, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || s.check(flag, n) != nil {
		return 0, invalid(flag, text, "%s", s.allowed())
	}
	return n, nil
}
