package modes

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fodc/modes/configfile"

	"github.com/stretchr/testify/require"
)

// property is the schema of a key, for editors.
func property(t *testing.T, o *option) map[string]any {
	t.Helper()
	about := strings.ReplaceAll(o.usage, "`", "")
	if o.defaultText != "" {
		about += ". Default: " + o.defaultText
	}
	p := map[string]any{"description": about + ". Variable: " + o.envVar()}
	text := []string{"string", "number"}
	number := map[string]any{"type": "integer"}
	if o.numbers != nil {
		number["minimum"], number["maximum"] = o.numbers[0], o.numbers[1]
	}
	var def any
	if o.defaultValue != "" {
		def = o.defaultValue
	}
	switch o.kind {
	case configfile.Bool:
		p["type"] = "boolean"
		def = o.defaultValue == "true"
	case configfile.Number:
		require.NotNil(t, o.numbers, o.name)
		p["type"], p["minimum"], p["maximum"] = "integer", o.numbers[0], o.numbers[1]
		if n, err := strconv.ParseInt(o.defaultValue, 10, 64); err == nil {
			def = n
		}
	case configfile.Texts:
		p["type"], p["items"] = []string{"array", "string"}, map[string]any{"type": text}
		if def != nil {
			def = []any{def}
		}
	case configfile.Numbers:
		require.NotNil(t, o.numbers, o.name)
		p["type"], p["minimum"], p["maximum"], p["items"] = []string{"array", "integer"}, o.numbers[0], o.numbers[1], number
	case configfile.Pairs:
		p["type"], p["items"], p["additionalProperties"] = []string{"object", "array", "string"}, map[string]any{"type": "string"}, map[string]any{"type": text}
	case configfile.Text:
		switch {
		case o.choices != nil:
			p["enum"] = choicesOf(o)
		case o.pattern != "":
			require.Regexp(t, o.pattern, o.defaultValue, o.name)
			p["type"], p["pattern"] = "string", o.pattern
		default:
			p["type"] = text
		}
	}
	if def != nil {
		p["default"] = def
	}
	return p
}

// choicesOf has those that look like numbers as numbers, too: in a file both are the same.
func choicesOf(o *option) (all []any) {
	for _, c := range o.choices {
		all = append(all, c)
		if n, err := strconv.ParseFloat(c, 64); err == nil {
			all = append(all, n)
		}
	}
	return all
}

func schemaOf(t *testing.T, name string) string {
	t.Helper()
	properties := map[string]any{}
	for _, o := range slices.Concat(docsCommand(name).options, logOptions(&logConfig{})) {
		if o.name != configFlag {
			properties[o.name] = property(t, o)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(map[string]any{"$schema": "http://json-schema.org/draft-07/schema#", "title": "Configuration file of fodc " + name,
		"$comment": "Generated from the flags by make docs.", "type": "object", "additionalProperties": false, "properties": properties}))
	return b.String()
}

// schemaFile is the schema of a mode, beside the examples.
func schemaFile(name string) string { return "../deploy/config/" + name + ".schema.json" }

func TestDocsSchemas(t *testing.T) {
	for _, name := range []string{"agent", "proxy", "standalone"} {
		sameAsWritten(t, schemaFile(name), schemaOf(t, name))
	}
}

// commented is an example of a setting that is a comment: prose has one space behind the #.
var commented = regexp.MustCompile(`(?m)^#(\S|  )`)

// The examples are valid, with all settings that are comments, too, and each key has a line of its own.
func TestExamplesOfConfigFiles(t *testing.T) {
	for _, name := range []string{"agent", "proxy"} {
		file := "../deploy/config/" + name + ".yaml"
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		first, _, _ := strings.Cut(string(text), "\n")
		require.Equal(t, "# yaml-language-server: $schema="+filepath.Base(schemaFile(name)), first)
		o := run(t, nil, nil, name, "--config", file)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.NotNil(t, o.config)
		o = run(t, nil, nil, "check", "config", name, "--config", file)
		require.Equal(t, exitClean, o.code, o.stderr)

		all := configOf(t, commented.ReplaceAllString(string(text), "$1"))
		o = run(t, nil, nil, name, "--config", all)
		require.Equal(t, exitClean, o.code, o.stderr)
		content, err := os.ReadFile(all)
		require.NoError(t, err)
		shown := map[string]configfile.Kind{}
		cmd := docsCommand(name)
		for _, o := range slices.Concat(cmd.options, logOptions(&logConfig{})) {
			shown[o.name] = o.kind
		}
		settings, problems := configfile.Parse(content, shown)
		require.Empty(t, problems)
		require.Greater(t, len(settings), 15)
	}
}
