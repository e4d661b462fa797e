package clidoc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Bash returns a script that completes the program's command line in bash 3.2 and later, without any other package.
func Bash(program Command) string {
	var b strings.Builder
	name := program.Name
	fmt.Fprintf(&b, `# Completions of %[1]s for bash: source <(%[1]s completion bash)
_%[1]s() {
    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" at="" flag="" words="" i IFS=$'\n'
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at ${COMP_WORDS[i]}" in
            %[2]s)
                at="$at ${COMP_WORDS[i]}" ;;
        esac
    done
    # --flag=value is three words.
    if [[ $cur == "=" ]]; then
        flag="$prev" cur=""
    elif [[ $prev == "=" ]] && ((COMP_CWORD > 2)); then
        flag="${COMP_WORDS[COMP_CWORD-2]}"
    elif [[ $prev == --* ]]; then
        flag="$prev"
    fi
    case "$at $flag" in
`, name, patterns(subPaths(program)))
	files, directories, nothing, choices := valueCases(program)
	arm(&b, files, `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); return`)
	arm(&b, directories, `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")); return`)
	arm(&b, nothing, "return")
	for _, flag := range slices.Sorted(maps.Keys(choices)) {
		arm(&b, []string{flag}, fmt.Sprintf(`COMPREPLY=($(compgen -W $'%s' -- "$cur")); return`, strings.Join(choices[flag], `\n`)))
	}
	b.WriteString("    esac\n    case \"$at\" in\n")
	program.walk(func(path []string, c Command) {
		body := fmt.Sprintf(`[[ $cur == -* ]] && words=$'%s' || words=$'%s'`, strings.Join(dashed(c.Flags), `\n`), strings.Join(names(c.Commands), `\n`))
		if takesFiles(c.Operand) || takesDirectories(c.Operand) {
			body = fmt.Sprintf(`if [[ $cur == -* ]]; then words=$'%s'; else compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); return; fi`,
				strings.Join(dashed(c.Flags), `\n`))
		}
		arm(&b, []string{at(path)}, body)
	})
	fmt.Fprintf(&b, "    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -F _%[1]s %[1]s\n", name)
	return b.String()
}
