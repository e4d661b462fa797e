package configfile

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Limits of a file. No file that people write comes near them.
const (
	// MaxBytes bounds a file, in bytes.
	MaxBytes = 256 << 10
	// MaxValues bounds the values of one key.
	MaxValues = 1000
	// MaxProblems bounds the problems that are returned.
	MaxProblems = 20
)

// Kind is what the value of a key may be.
type Kind int

const (
	// Text is one scalar. Numbers, and true and false, are taken as they are written.
	Text Kind = iota
	// Bool is true or false, without quotes.
	Bool
	// Number is a whole number, without quotes.
	Number
	// Texts is a list of texts, or one text.
	Texts
	// Numbers is a list of numbers, or one number.
	Numbers
	// Pairs is a mapping of names to texts. As Texts it is a list of NAME=TEXT, or one of them.
	Pairs
)

// Setting is a key of a file, with its values. Those but Texts, Numbers and Pairs have one value; these may have none.
type Setting struct {
	// Line is where the key is, from 1.
	Line   int
	Values []Value
}

// Value is a scalar as it is written, without quotes; of a mapping, it is NAME=TEXT.
type Value struct {
	Text string
	// Line is where it is, from 1.
	Line int
}

// Problem is something in a file that is not right.
type Problem struct {
	// Line is where it is, from 1; 0: it is about the whole file, or the line is not known.
	Line int
	// Key is the key that it is about; empty: none.
	Key string
	// Unknown: the key is none of the known ones.
	Unknown bool
	// Value is the scalar that is wrong; nil: there is none, or it is no scalar. It may be a secret.
	Value *string
	// Text says what is wrong, or what is allowed. It has nothing of the file.
	Text string
}

// Parse reads a file whose keys are those of known. It returns the settings of all keys that are right, and the problems
// of all others, in the order of the file; there is none if problems is empty. An empty file has no settings.
func Parse(content []byte, known map[string]Kind) (settings map[string]Setting, problems []Problem) {
	root, problem := document(content)
	if problem != nil {
		return nil, []Problem{*problem}
	}
	p := &parser{known: known, settings: map[string]Setting{}}
	if root != nil {
		p.mapping(root)
	}
	return p.settings, p.problems
}

type parser struct {
	known    map[string]Kind
	settings map[string]Setting
	problems []Problem
}

func (p *parser) problem(of Problem) {
	if len(p.problems) < MaxProblems {
		p.problems = append(p.problems, of)
	}
}

func (p *parser) mapping(root *yaml.Node) {
	if root.Kind != yaml.MappingNode {
		p.problem(Problem{Line: root.Line, Text: "the file must be a mapping, with lines such as KEY: VALUE, and is " + what(root)})
		return
	}
	seen := map[string]int{}
	for pair := range slices.Chunk(root.Content, 2) {
		key, value := pair[0], pair[1]
		if text := unplain(key); text != "" || key.Kind != yaml.ScalarNode {
			p.problem(Problem{Line: key.Line, Text: "a key must be a text" + text})
			continue
		}
		name := key.Value
		kind, known := p.known[name]
		first, twice := seen[name]
		switch {
		case !known:
			p.problem(Problem{Line: key.Line, Key: name, Unknown: true, Text: "is unknown"})
			continue
		case twice:
			p.problem(Problem{Line: key.Line, Key: name, Text: fmt.Sprintf("is there twice: it is in line %d, too", first)})
			continue
		}
		seen[name] = key.Line
		values, problem := valuesOf(kind, value)
		if problem != nil {
			problem.Key = name
			p.problem(*problem)
			continue
		}
		p.settings[name] = Setting{Line: key.Line, Values: values}
	}
}
