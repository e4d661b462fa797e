package clidoc

import (
	"fmt"
	"slices"
	"strings"
)

// Page is what a manual page has beside the commands.
type Page struct {
	// Version is that of the program.
	Version string
	// Sections are further ones, at the end.
	Sections []Section
}

// Section is a section of a manual page, with paragraphs.
type Section struct {
	Title string
	Texts []string
}

// Man returns the manual page of the program in roff, with all commands and flags.
func Man(program Command, page Page) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".\\\" Made by %s man.\n.TH %s 1 \"\" %s\n.SH NAME\n%s \\- %s\n", roffText(program.Name), roffArgument(strings.ToUpper(program.Name)),
		roffArgument(program.Name+" "+page.Version), roffText(program.Name), roffText(program.Usage))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.I command\n[flags]\n", roffText(program.Name))
	if program.Description != "" {
		fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n", roffText(program.Description))
	}
	b.WriteString(".SH COMMANDS\n")
	flags := map[string][]Flag{}
	program.walk(func(path []string, c Command) { flags[program.Name+at(path)] = c.Flags })
	program.walk(func(path []string, c Command) {
		if len(path) > 0 {
			c.Flags = without(c.Flags, flags[c.Like])
			manCommand(&b, program.Name+at(path), c)
		}
	})
	b.WriteString(".SH FLAGS\n")
	manFlags(&b, program.Flags)
	for _, s := range page.Sections {
		fmt.Fprintf(&b, ".SH %s\n", roffArgument(s.Title))
		for i, text := range s.Texts {
			if i > 0 {
				b.WriteString(".PP\n")
			}
			b.WriteString(roffText(text) + "\n")
		}
	}
	return b.String()
}

// without returns the flags that are not among the others.
func without(flags, others []Flag) []Flag {
	return slices.DeleteFunc(slices.Clone(flags), func(f Flag) bool {
		return slices.ContainsFunc(others, func(other Flag) bool { return other.Name == f.Name })
	})
}

func manCommand(b *strings.Builder, name string, c Command) {
	usage := name
	if len(c.Commands) > 0 {
		usage += " COMMAND"
	}
	if c.Operand != "" {
		usage += " " + c.Operand
	}
	if len(c.Flags) > 0 || c.Like != "" {
		usage += " [FLAGS]"
	}
	fmt.Fprintf(b, ".SS %s\n%s.\n", roffArgument(usage), roffText(c.Usage))
	if c.Description != "" {
		fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roffText(c.Description))
	}
	if c.Like != "" {
		fmt.Fprintf(b, ".PP\nIts flags are those of\n.B %s\n", roffText(c.Like))
	}
	manFlags(b, c.Flags)
}

func manFlags(b *strings.Builder, flags []Flag) {
	for _, f := range flags {
		fmt.Fprintf(b, ".TP\n.B \\-\\-%s", roffText(f.Name))
		if f.Value != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roffText(f.Value))
		}
		text := f.Usage
		if f.Choices != nil && f.Value == "" {
			text += ": " + strings.Join(f.Choices, ", ")
		}
		if f.Default != "" {
			text += ". Default: " + f.Default
		}
		if f.Variable != "" {
			text += ". Variable: " + f.Variable
		}
		fmt.Fprintf(b, "\n%s.\n", roffText(text))
	}
}
