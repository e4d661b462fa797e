package rules

import (
	"bytes"
	"embed"
	"io/fs"
	"sync"
)

// builtinFile is the name of the built-in rules in errors.
const builtinFile = "builtin.yml"

// builtinNames are the files in builtin that have the rules, by theme. Builtin has them in this order.
var builtinNames = []string{"builtin.yml", "storage.yml", "waits.yml"}

//go:embed builtin/*.yml
var builtinFiles embed.FS

// Builtin returns the built-in rules, as one file of Prometheus. The caller must not change it.
func Builtin() []byte { return builtinText() }

// builtinText joins the files: each has its groups behind a line "groups:", which one file has once.
var builtinText = sync.OnceValue(func() (all []byte) {
	const groups = "\ngroups:\n"
	for _, name := range builtinNames {
		text, err := builtinFiles.ReadFile("builtin/" + name)
		if err != nil {
			panic(err) // It is a part of the program.
		}
		if all == nil {
			all = text
			continue
		}
		_, below, _ := bytes.Cut(text, []byte(groups))
		all = append(append(all, '\n'), below...)
	}
	return all
})

// builtinRules are the definitions of the built-in rules. They are parsed once in a process: an agent loads them to check its
// flags, to start, and each time that its files of rules are read again. Nobody changes a definition, so all sets may have the same.
var builtinRules = sync.OnceValues(func() ([]*Definition, error) { return Parse(builtinFile, Builtin()) })

// BuiltinFiles returns the files of the built-in rules, and beside them their unit tests, *_test.yml, as promtool reads them.
func BuiltinFiles() fs.FS {
	files, err := fs.Sub(builtinFiles, "builtin")
	if err != nil {
		panic(err) // It is a part of the program.
	}
	return files
}
