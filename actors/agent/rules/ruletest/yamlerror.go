package ruletest

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	yamlLine  = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)
	goField   = regexp.MustCompile(`^field (.*) not found in type \S+$`)
	goInto    = regexp.MustCompile("^cannot unmarshal !!(\\w+)(?: `(.*)`)? into \\S+$")
	yamlKinds = map[string]string{"seq": "a list", "map": "a mapping", "str": "a text", "int": "a number", "float": "a number", "bool": "true or false"}
)

// inFile returns an error of a file with the file's name, and with the line where YAML says it, and no types of this program.
func inFile(name string, err error) error {
	var wrong *yaml.TypeError
	texts := []string{err.Error()}
	if errors.As(err, &wrong) {
		texts = wrong.Errors
	}
	var errs []error
	for _, text := range texts {
		at := name
		if m := yamlLine.FindStringSubmatch(text); m != nil {
			at, text = name+":"+m[1], text[len(m[0]):]
		}
		errs = append(errs, fmt.Errorf("%s: %s", at, plainly(text)))
	}
	return errors.Join(errs...)
}

func plainly(text string) string {
	if m := goField.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("the field %q is not known here", m[1])
	}
	if m := goInto.FindStringSubmatch(text); m != nil {
		what := yamlKinds[m[1]]
		if what == "" {
			what = m[1]
		}
		if m[2] != "" {
			what += " such as " + m[2]
		}
		return what + " is not allowed here"
	}
	return strings.TrimPrefix(text, "yaml: ")
}
