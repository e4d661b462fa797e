package modes

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"fodc/modes/configfile"

	"github.com/urfave/cli/v2"
)

// Regular expressions of durations as Go and as Prometheus write them, and of sizes and percentages.
const (
	durationPattern     = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^0$`
	longDurationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w|y))+$|^0$`
	sizePattern         = `^([0-9]+(\.[0-9]+)?([KMGTPE]i?)?B)+$`
	percentagePattern   = `^[0-9]+(\.[0-9]+)?%$`
)

// envPrefix begins the names of the environment variables. The flag's name in upper snake
// case follows.
const envPrefix = "FODC_"

// option is one flag. It collects the values that the command line gives. resolve then takes
// these, or the environment variable, or those of the configuration file, or the default, and
// parses them. All are parsed in the same place, so errors are the same for all.
type option struct {
	// name has no leading dashes. usage is one line, with the name of the value in backquotes
	// if the flag takes one.
	name, usage string
	// defaultValue is the value that is parsed when none is given.
	defaultValue string
	// defaultText is the default that help shows where def does not say it.
	defaultText string
	// repeatable: the flag may be given several times. Of others the last one counts.
	repeatable bool
	// isBool: the flag may be given without a value, which means "true".
	isBool bool
	// envList: the environment variable may have several values, with white space between.
	envList bool
	// variable is its environment variable, where that is not named after the flag.
	variable string
	// noEnv: no environment variable sets it.
	noEnv bool
	// kind is what a configuration file may have as its value.
	kind configfile.Kind
	// choices are all values that are allowed; nil: there are others.
	choices []string
	// numbers bounds each number, both ends included; nil: it is no number.
	numbers *[2]int64
	// pattern is a regular expression of its values, for editors; empty: there is none.
	pattern string
	// parse sets the destination from the values, of which there may be none.
	parse func(texts []string) error

	given []string // on the command line
	// file is what the configuration file has; nil: nothing, or there is no file.
	file   *fileSetting
	texts  []string // the values that count, set by resolve
	source source   // where texts come from, set by resolve
}

// Set is called by the flag package for each occurrence of the flag.
func (o *option) Set(text string) error {
	if !o.repeatable {
		o.given = nil
	}
	o.given = append(o.given, text)
	return nil
}

// String implements flag.Value.
func (o *option) String() string { return o.defaultValue }

// IsBoolFlag is called by the flag package.
func (o *option) IsBoolFlag() bool { return o.isBool }

func (o *option) envVar() string {
	if o.variable != "" {
		return o.variable
	}
	return envPrefix + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
}

// resolve decides which values count and parses them. An empty environment variable counts
// as not set.
func (o *option) resolve() error {
	o.texts, o.source = o.given, fromFlag
	if len(o.texts) == 0 {
		value := ""
		if !o.noEnv {
			value = os.Getenv(o.envVar())
		}
		switch {
		case value != "" && o.envList:
			o.texts, o.source = strings.Fields(value), fromVariable
		case value != "":
			o.texts, o.source = []string{value}, fromVariable
		case o.file != nil:
			o.texts, o.source = o.file.texts(), fromFile
		case o.defaultValue != "":
			o.texts, o.source = []string{o.defaultValue}, fromDefault
		default:
			o.source = fromDefault
		}
	}
	return o.parse(o.texts)
}

// isDefault reports whether the value that counts is the default, after resolve.
func (o *option) isDefault() bool { return o.source == fromDefault }

// explain completes an error about this option: it names the environment variable, or the file
// and the line, if the value came from there, and shows the value as the user wrote it.
func (o *option) explain(e invalidError) invalidError {
	switch o.source {
	case fromVariable:
		e.source = o.envVar()
	case fromFile:
		e.source, e.inFile = o.file.place(e.value)+": "+o.name, true
	}
	if !o.repeatable && len(o.texts) == 1 && !e.absent {
		e.value = o.texts[0]
	}
	return e
}

// source is where the value of an option comes from.
type source int

const (
	fromDefault source = iota
	fromFlag
	fromVariable
	fromFile
)

// cliFlag adapts an option to the cli package.
type cliFlag struct{ *option }

var (
	_ cli.DocGenerationFlag = cliFlag{}
	_ cli.VisibleFlag       = cliFlag{}
)

func (f cliFlag) Apply(set *flag.FlagSet) error {
	set.Var(f.option, f.name, f.usage)
	return nil
}

func (f cliFlag) Names() []string  { return []string{f.name} }
func (f cliFlag) IsSet() bool      { return len(f.given) > 0 }
func (f cliFlag) IsVisible() bool  { return true }
func (f cliFlag) TakesValue() bool { return !f.isBool }
func (f cliFlag) GetUsage() string { return f.usage }
func (f cliFlag) GetValue() string { return f.defaultValue }
func (f cliFlag) String() string   { return cli.FlagStringer(f) }

func (f cliFlag) GetEnvVars() []string {
	if f.noEnv {
		return nil
	}
	return []string{f.envVar()}
}

func (f cliFlag) GetDefaultText() string {
	if f.defaultText != "" {
		return f.defaultText
	}
	return f.defaultValue
}

func textOption(dst *string, name, def, usage string) *option {
	return &option{name: name, usage: usage, defaultValue: def, parse: func(texts []string) error {
		if len(texts) > 0 {
			*dst = texts[0]
		}
		return nil
	}}
}

func boolOption(dst *bool, name string, def bool, usage string) *option {
	return &option{name: name, usage: usage, defaultValue: strconv.FormatBool(def), isBool: true, kind: configfile.Bool, parse: func(texts []string) error {
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
	o.choices = allowed
	o.parse = func(texts []string) error {
		for _, a := range allowed {
			if texts[0] == a {
				*dst = a
				return nil
			}
		}
		return invalid(name, texts[0], "must be %s", oneOf(allowed))
	}
	return o
}

// oneOf returns the names as alternatives: "a, b or c".
func oneOf(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func listOption(dst *[]string, name, usage string) *option {
	return &option{name: name, usage: usage, repeatable: true, envList: true, kind: configfile.Texts, parse: func(texts []string) error {
		*dst = texts
		return nil
	}}
}

func durationOption(dst *time.Duration, name, def, usage string) *option {
	return &option{name: name, usage: usage, defaultValue: def, pattern: durationPattern, parse: func(texts []string) error {
		d, err := time.ParseDuration(texts[0])
		if err != nil {
			return invalid(name, texts[0], durationAllowed)
		}
		*dst = d
		return checkDuration(name, d)
	}}
}

func intOption[T int | int32](dst *T, name, def, usage string, allowed intRange) *option {
	return &option{name: name, usage: usage, defaultValue: def, kind: configfile.Number, numbers: allowed.limits(), parse: func(texts []string) error {
		n, err := allowed.parse(name, texts[0])
		*dst = T(n)
		return err
	}}
}

// intRange is the range of numbers that a flag may have, both ends included. They fit an
// int32.
type intRange struct{ low, high int }

func (s intRange) limits() *[2]int64 { return &[2]int64{int64(s.low), int64(s.high)} }

func (s intRange) allowed() string {
	return fmt.Sprintf("must be a whole number from %d to %d", s.low, s.high)
}

func (s intRange) check(flag string, n int) error {
	if n < s.low || n > s.high {
		return invalid(flag, strconv.Itoa(n), "%s", s.allowed())
	}
	return nil
}

func (s intRange) parse(flag, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || s.check(flag, n) != nil {
		return 0, invalid(flag, text, "%s", s.allowed())
	}
	return n, nil
}
