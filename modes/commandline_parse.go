package modes

import (
	"errors"
	"strings"

	"fodc/actors/agent/mask"
)

// parse parses the values of the options. The error is about the configuration file, or about the first option that is
// wrong.
func (cmd command) parse() error {
	if wrong := cmd.readConfig(); len(wrong) > 0 {
		return wrongOptions(wrong).shortened(cmd.name)
	}
	for _, o := range cmd.options {
		if err := o.resolve(); err != nil {
			return cmd.explain(err)
		}
	}
	return cmd.explain(cmd.finish())
}

// parseAll is parse, whose error names all options with wrong values, and is wrongOptions.
func (cmd command) parseAll() error {
	wrong := cmd.readConfig()
	for _, o := range cmd.options {
		if err := o.resolve(); err != nil && o.name != configFlag { // The file is read already.
			wrong = append(wrong, cmd.explain(err))
		}
	}
	if len(wrong) == 0 {
		if err := cmd.explain(cmd.finish()); err != nil {
			wrong = append(wrong, err)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return wrongOptions(wrong)
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
