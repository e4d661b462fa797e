package clidoc

import (
	"fmt"
	"strings"
)

// Fish returns a file for fish's directory of completions, named PROGRAM.fish.
func Fish(program Command) string {
	var b strings.Builder
	name := program.Name
	fmt.Fprintf(&b, `# Completions of %[1]s for fish: %[1]s completion fish | source
function __%[1]s_at
    set -l at ""
    for word in (commandline -opc)[2..-1]
        if contains -- "$at $word" %[2]s
            set at "$at $word"
        end
    end
    test "$at" = "$argv[1]"
end
complete -c %[1]s -f
`, name, fishQuotedAll(subPaths(program)))
	program.walk(func(path []string, c Command) {
		begin := fmt.Sprintf("complete -c %s -n %s", name, fishQuote("__"+name+"_at "+fishQuote(at(path))))
		for _, sub := range c.Commands {
			fmt.Fprintf(&b, "%s -a %s -d %s\n", begin, fishQuote(sub.Name), fishQuote(sub.Usage))
		}
		for _, f := range c.Flags {
			value := ""
			switch {
			case f.Choices != nil:
				value = " -x -a " + fishQuote(strings.Join(f.Choices, " "))
			case f.Value == "":
			case takesFiles(f.Value):
				value = " -r -F"
			case takesDirectories(f.Value):
				value = " -x -a '(__fish_complete_directories)'"
			default:
				value = " -x"
			}
			fmt.Fprintf(&b, "%s -l %s%s -d %s\n", begin, f.Name, value, fishQuote(f.Usage))
		}
		if takesFiles(c.Operand) || takesDirectories(c.Operand) {
			fmt.Fprintf(&b, "%s -F\n", begin)
		}
	})
	return b.String()
}

// fishQuote returns the text in single quotes, as fish takes it.
func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}

func fishQuotedAll(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = fishQuote(text)
	}
	return strings.Join(quoted, " ")
}
