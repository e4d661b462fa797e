package rules

import "embed"

// builtinFile is the name of the built-in rules in errors, and that of their file in builtin.
const builtinFile = "builtin.yml"

//go:embed builtin/*.yml
var builtinFiles embed.FS

// Builtin returns the built-in rules, as a file of Prometheus.
func Builtin() []byte { return builtinNamed(builtinFile) }

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
