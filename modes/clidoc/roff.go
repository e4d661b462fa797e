package clidoc

import "strings"

// roffText escapes a text of one or more lines for roff: backslashes, hyphens, which are minus signs in commands, quotes that
// roff takes for others, and what begins a line like a request.
func roffText(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		line = roffEscapes.Replace(strings.TrimRight(line, " \t"))
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, `\(aq`) {
			line = `\&` + line
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

// roffArgument is a text as an argument of a macro, within double quotes.
func roffArgument(text string) string {
	return `"` + strings.ReplaceAll(roffText(strings.ReplaceAll(text, "\n", " ")), `"`, `\(dq`) + `"`
}
