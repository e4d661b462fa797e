package modes

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"fodc/modes/configfile"
)

const (
	configFlag = "config"
	// configReadTimeout bounds the reading of the file: it may be a pipe that nobody writes to, or on a disk that hangs.
	configReadTimeout = 10 * time.Second
	// maxConfigProblems bounds the problems of a file that the error of a start has. fodc check config lists more.
	maxConfigProblems = 3
)

// fileSetting is what the configuration file has for an option.
type fileSetting struct {
	configfile.Setting
	path string
}

func (s *fileSetting) texts() []string {
	texts := make([]string, 0, len(s.Values))
	for _, v := range s.Values {
		texts = append(texts, v.Text)
	}
	return texts
}

// place returns FILE:LINE of the value, or of the key if it is none of its values.
func (s *fileSetting) place(value string) string {
	line := s.Line
	for _, v := range s.Values {
		if v.Text == value {
			line = v.Line
			break
		}
	}
	return placeOf(s.path, line)
}

func placeOf(path string, line int) string {
	if line == 0 {
		return path
	}
	return fmt.Sprintf("%s:%d", path, line)
}

// configOption is the flag of the configuration file.
func configOption() *option {
	o := textOption(new(string), configFlag, "",
		"`FILE` of settings in YAML: its keys are the names of flags without the dashes, and flags and variables override it")
	o.parse = func(texts []string) error {
		if len(texts) > 0 && !isText(texts[0]) {
			return invalid(configFlag, texts[0], fileAllowed)
		}
		return nil
	}
	return o
}

func optionOf(options []*option, name string) *option {
	at := slices.IndexFunc(options, func(o *option) bool { return o.name == name })
	if at < 0 {
		return nil
	}
	return options[at]
}

// configPath returns the file of --config; empty: there is none.
func (cmd command) configPath() string {
	if o := optionOf(cmd.options, configFlag); o != nil && len(o.texts) > 0 {
		return o.texts[0]
	}
	return ""
}

// readConfig reads the file of --config, and gives the options what is right in it. It returns what is not.
func (cmd command) readConfig() []error {
	o := optionOf(cmd.options, configFlag)
	if o == nil {
		return nil
	}
	if err := o.resolve(); err != nil {
		return []error{cmd.explain(err)}
	}
	path := cmd.configPath()
	if path == "" {
		return nil
	}
	content, err := readConfigFile(path, configReadTimeout)
	if err != nil {
		return []error{&configProblem{err: cmd.explain(invalid(configFlag, path, "must be a file that can be read: %v", err)), cause: err}}
	}
	known := map[string]configfile.Kind{}
	for _, key := range cmd.keysOfConfig() {
		if key.name != configFlag {
			known[key.name] = key.kind
		}
	}
	settings, problems := configfile.Parse(content, known)
	for _, o := range cmd.options {
		if s, has := settings[o.name]; has {
			o.file = &fileSetting{s, path}
		}
	}
	var wrong []error
	for _, p := range problems {
		wrong = append(wrong, &configProblem{err: cmd.problemOf(path, p)})
	}
	return wrong
}

// keysOfConfig are the options whose names are the keys of the file.
func (cmd command) keysOfConfig() []*option {
	if cmd.keys != nil {
		return cmd.keys
	}
	return cmd.options
}

// configProblem is that something in the configuration file is not right, or that it cannot be read.
type configProblem struct {
	err error
	// cause is why it cannot be read; nil: it can.
	cause error
}

func (p *configProblem) Error() string { return p.err.Error() }

// readConfigFile returns at most one byte more than a configuration file may have.
func readConfigFile(path string, within time.Duration) ([]byte, error) {
	type result struct {
		content []byte
		err     error
	}
	read := make(chan result, 1)
	go func() {
		var r result
		r.content, r.err = readSome(path, configfile.MaxBytes+1)
		read <- r
	}()
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case r := <-read:
		var of *fs.PathError
		if errors.As(r.err, &of) {
			r.err = of.Err // The path is said already.
		}
		return r.content, r.err
	case <-late.C:
		return nil, fmt.Errorf("it could not be read within %s", within)
	}
}

func readSome(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}
