package rules

import (
	"embed"
	"sync"
)

// builtinFile is the name of the built-in rules in errors, and that of their file in builtin.
const builtinFile = "builtin.yml"

//go:embed builtin/*.yml
var builtinFiles embed.FS

// Builtin returns the built-in rules, as a file of Prometheus.
func Builtin() []byte { return builtinNamed(builtinFile) }

// builtinRules are the definitions of the built-in rules. They are parsed once in a process: an agent loads them to check its
// flags, to start, and each time that its files of rules are read again. Nobody changes a definition, so all sets may have the same.
var builtinRules = sync.OnceValues(func() ([]*Definition, error) { return Parse(builtinFile, Builtin()) })

// BuiltinTests returns the unit tests of the built-in rules, as a file of promtool. Its rule_files are
// builtin.yml, beside it.
func BuiltinTests() []byte { return builtinNamed("builtin_test.yml") }

func builtinNamed(name string) []byte {
	b, err := builtinFiles.ReadFile("builtin/" + name)
	if err != nil {
		panic(err) // It is a part of the program.
	}
	return b
}
