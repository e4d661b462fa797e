package clidoc

import (
	"fmt"
	"strings"
)

// at returns the words of a path, each with a space before it: the scripts build the same text of what was typed.
func at(path []string) string {
	text := ""
	for _, word := range path {
		text += " " + word
	}
	return text
}

// patterns returns the texts as alternatives of a case of a shell, in single quotes.
func patterns(texts []string) string { return quotedAll(texts, "|") }

func quotedAll(texts []string, between string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(text)
	}
	return strings.Join(quoted, between)
}

// quote returns the text in single quotes, as POSIX shells and zsh take it.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// dashed returns the names of the flags with their dashes.
func dashed(flags []Flag) (names []string) {
	for _, f := range flags {
		names = append(names, "--"+f.Name)
	}
	return names
}

func names(commands []Command) (all []string) {
	for _, c := range commands {
		all = append(all, c.Name)
	}
	return all
}

// subPaths returns the paths of all commands below the program.
func subPaths(program Command) (all []string) {
	program.walk(func(path []string, _ Command) {
		if len(path) > 0 {
			all = append(all, at(path))
		}
	})
	return all
}

// valueCases returns the flags with a value by what completes it: files, directories, choices, or nothing. A flag is its
// command's path, a space and its name with dashes.
func valueCases(program Command) (files, directories, nothing []string, choices map[string][]string) {
	choices = map[string][]string{}
	program.walk(func(path []string, c Command) {
		for _, f := range c.Flags {
			flag := at(path) + " --" + f.Name
			switch {
			case f.Value == "" && f.Choices == nil:
			case f.Choices != nil:
				choices[flag] = f.Choices
			case takesFiles(f.Value):
				files = append(files, flag)
			case takesDirectories(f.Value):
				directories = append(directories, flag)
			default:
				nothing = append(nothing, flag)
			}
		}
	})
	return files, directories, nothing, choices
}

// arm writes an arm of a case, unless it has no patterns.
func arm(b *strings.Builder, texts []string, body string) {
	if len(texts) > 0 {
		fmt.Fprintf(b, "        %s)\n            %s ;;\n", patterns(texts), body)
	}
}
