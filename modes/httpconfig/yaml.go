package httpconfig

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v2"
)

// Fault is what is wrong with a file, in words without values.
type Fault string

func (f Fault) Error() string { return string(f) }

// Unmarshal reads YAML. Unknown fields, and fields that are there twice, are errors. An error is one line that names
// the line and the field, and has no values: they may be secrets.
func Unmarshal(content []byte, into any) error {
	err := yaml.UnmarshalStrict(content, into)
	var faults *yaml.TypeError
	var of *url.Error
	var own Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own
	case errors.As(err, &of):
		return Fault("proxy_url is not a URL")
	case errors.As(err, &faults):
		return errors.New(strings.Join(withoutValues(faults.Errors), "; "))
	}
	return errors.New(withoutValue(err.Error()))
}

// maxFaults is how many faults of a file an error has.
const maxFaults = 5

func withoutValues(faults []string) (texts []string) {
	for _, f := range faults {
		if text := withoutValue(f); len(texts) < maxFaults && (len(texts) == 0 || texts[len(texts)-1] != text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// The texts of the library that have names or values in them. What is not written like the name of a field may be a value: in a
// list of fields, "password=x" is the name of one.
var (
	unknownField = regexp.MustCompile(`(?s)^line (\d+): field (?:([\w.\-]{1,60})(?:=.*)?|.*) not found in type \S+$`)
	fieldTwice   = regexp.MustCompile(`^line (\d+): (?:field|key) "?([\w.\-]{1,60})"? already set in .*$`)
	wrongKind    = regexp.MustCompile(`(?s)^line (\d+): cannot unmarshal (!!\w+).* into (\S+)$`)
	// What has no more than a line before it is of the parser, which quotes nothing.
	syntaxError = regexp.MustCompile(`^yaml: (line \d+: .*)$`)
	// These are of the checks of a configuration: they name fields alone.
	ownCheck = regexp.MustCompile("^(?:at most one of|exactly one of|if proxy_connect_header|if proxy_from_environment|if no_proxy|oauth2 |authorization |valid signature|setting header)[^`]*$")
)

// withoutValue returns the text of an error without the values that it quotes.
func withoutValue(text string) string {
	if m := unknownField.FindStringSubmatch(text); m != nil && m[2] == "" {
		return fmt.Sprintf("line %s: unknown field", m[1])
	} else if m != nil {
		return fmt.Sprintf("line %s: unknown field %q", m[1], m[2])
	}
	if m := fieldTwice.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("line %s: %q is there twice", m[1], m[2])
	}
	if m := wrongKind.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("line %s: %s", m[1], wrongKindNamed(m[2], m[3]))
	}
	if m := syntaxError.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	if ownCheck.MatchString(text) {
		return text
	}
	if strings.HasPrefix(text, "unknown TLS version") {
		return "min_version and max_version are TLS10, TLS11, TLS12 or TLS13"
	}
	if strings.Contains(text, "anchor") {
		return "a value begins with * or &: put it in quotes"
	}
	return "not valid YAML of this format"
}

// wrongKindNamed says in words that a value of the tag does not become one of the Go type.
func wrongKindNamed(tag, goType string) string {
	switch {
	case tag == "!!seq":
		return "a list is not allowed here"
	case tag == "!!map":
		return "fields are not allowed here"
	case strings.HasPrefix(goType, "[]"):
		return "a list is needed here"
	case goType == "bool":
		return "true or false is needed here"
	case strings.HasPrefix(goType, "int"), strings.HasPrefix(goType, "uint"):
		return "a whole number of 0 or more is needed here"
	case goType == "string":
		return "a text is needed here"
	}
	return "fields are needed here"
}
