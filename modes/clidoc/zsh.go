package clidoc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Zsh returns a file for a directory of zsh's fpath, named _PROGRAM.
func Zsh(program Command) string {
	var b strings.Builder
	name := program.Name
	fmt.Fprintf(&b, `#compdef %[1]s
# Completions of %[1]s for zsh: %[1]s completion zsh > "${fpath[1]}/_%[1]s"
_%[1]s() {
    local at="" flag="" i
    local -a flags commands
    for ((i = 2; i < CURRENT; i++)); do
        case "$at ${words[i]}" in
            %[2]s)
                at="$at ${words[i]}" ;;
        esac
    done
    if [[ ${words[CURRENT]} == --*=* ]]; then
        flag="${words[CURRENT]%%%%=*}"
        compset -P '*='
    elif [[ ${words[CURRENT-1]} == --* ]]; then
        flag="${words[CURRENT-1]}"
    fi
    case "$at $flag" in
`, name, patterns(subPaths(program)))
	files, directories, nothing, choices := valueCases(program)
	arm(&b, files, "_files; return")
	arm(&b, directories, "_files -/; return")
	arm(&b, nothing, "return")
	for _, flag := range slices.Sorted(maps.Keys(choices)) {
		arm(&b, []string{flag}, "compadd -- "+quotedAll(choices[flag], " ")+"; return")
	}
	b.WriteString("    esac\n    case \"$at\" in\n")
	program.walk(func(path []string, c Command) {
		var flags, commands []string
		for _, f := range c.Flags {
			flags = append(flags, described("--"+f.Name, f.Usage))
		}
		for _, sub := range c.Commands {
			commands = append(commands, described(sub.Name, sub.Usage))
		}
		body := fmt.Sprintf("flags=(%s); commands=(%s)", quotedAll(flags, " "), quotedAll(commands, " "))
		if takesFiles(c.Operand) || takesDirectories(c.Operand) {
			body += "; [[ ${words[CURRENT]} == -* ]] || { _files; return; }"
		}
		arm(&b, []string{at(path)}, body)
	})
	fmt.Fprintf(&b, `    esac
    if [[ ${words[CURRENT]} == -* ]]; then
        _describe -o flag flags
    else
        _describe command commands
    fi
}
if [[ ${funcstack[1]} == _%[1]s ]]; then
    _%[1]s "$@"
else
    compdef _%[1]s %[1]s
fi
`, name)
	return b.String()
}

// described is an item of _describe, in which a colon ends the name.
func described(name, usage string) string {
	return strings.ReplaceAll(name, ":", `\:`) + ":" + usage
}
