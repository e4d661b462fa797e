package configfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// yamlLine is how an error of YAML begins.
var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// document returns the only document of the content; nil: it is empty.
func document(content []byte) (root *yaml.Node, problem *Problem) {
	switch {
	case len(content) > MaxBytes:
		return nil, &Problem{Text: fmt.Sprintf("the file has more than %d bytes", MaxBytes)}
	case !utf8.Valid(content):
		return nil, &Problem{Line: lineOfBadText(content), Text: "the file is not in UTF-8"}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var first, second yaml.Node
	switch err := decoder.Decode(&first); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, syntax(err)
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		return nil, &Problem{Line: second.Line, Text: "the file has a second document: only one is allowed"}
	case !errors.Is(err, io.EOF):
		return nil, syntax(err)
	}
	root = first.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" && root.Value == "" && unplain(root) == "" {
		return nil, nil
	}
	return root, nil
}

// syntax says what YAML does not take. Its texts quote nothing of a file but the names of aliases, which may be passwords
// that begin with a *.
func syntax(err error) *Problem {
	m := yamlLine.FindStringSubmatch(err.Error())
	line, _ := strconv.Atoi(m[1])
	text := err.Error()[len(m[0]):]
	if strings.HasPrefix(text, "unknown anchor ") {
		return &Problem{Line: line, Text: "a value begins with *, which is that of an alias: put it in quotes"}
	}
	return &Problem{Line: line, Text: "the file is not valid YAML: " + text}
}

func lineOfBadText(content []byte) int {
	line := 1
	for len(content) > 0 {
		r, size := utf8.DecodeRune(content)
		switch {
		case r == utf8.RuneError && size == 1:
			return line
		case r == '\n':
			line++
		}
		content = content[size:]
	}
	return line
}
