package modes

import (
	"errors"
	"strings"

	"fodc/actors/agent/mask"
)

// parse parses the values of the options. The error is about the first one that is wrong.
func (cmd command) parse() error {
	for _, o := range cmd.options {
		if err := o.resolve(); err != nil {
			return cmd.explain(err)
		}
	}
	return cmd.explain(cmd.finish())
}

// parseAll is parse, whose error names all options with wrong values.
func (cmd command) parseAll() error {
	var wrong []string
	for _, o := range cmd.options {
		if err := o.resolve(); err != nil {
			wrong = append(wrong, cmd.explain(err).Error())
		}
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return cmd.explain(cmd.finish())
}

// flags returns the values that count, as a page may show them.
func (cmd command) flags() map[string]string {
	flags := make(map[string]string, len(cmd.options))
	for _, o := range cmd.options {
		flags[o.name] = mask.Value(o.name, strings.Join(o.texts, " "))
	}
	return flags
}

func (cmd command) explain(err error) error {
	var e *invalidError
	if !errors.As(err, &e) {
		return err
	}
	for _, o := range cmd.options {
		if o.name == e.flag {
			explained := o.explain(*e)
			return &explained
		}
	}
	return err
}
