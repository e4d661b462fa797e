package modes

import (
	"strings"

	"fodc/actors/agent/mask"
)

// CheckedFile is the configuration file of a configuration that fodc check config is asked about.
type CheckedFile struct {
	Path string
	// Settings counts the keys that it has.
	Settings int
	// Overridden are its keys that do not count, each with the flag or the variable that does.
	Overridden []string
	// Secrets are its keys whose values have a secret.
	Secrets []string
}

// checkedFile returns what the file of --config has, after the options are parsed; nil: there is none.
func checkedFile(options []*option) *CheckedFile {
	path := (command{options: options}).configPath()
	if path == "" {
		return nil
	}
	f := &CheckedFile{Path: path}
	for _, o := range options {
		if o.file == nil {
			continue
		}
		f.Settings++
		switch o.source {
		case fromFlag:
			f.Overridden = append(f.Overridden, "--"+o.name+" overrides "+o.name)
		case fromVariable:
			f.Overridden = append(f.Overridden, o.envVar()+" overrides "+o.name)
		}
		for _, text := range o.file.texts() {
			if mask.Value(o.name, text) != text {
				f.Secrets = append(f.Secrets, o.name)
				break
			}
		}
	}
	return f
}

func (f *CheckedFile) check(r *configReport) {
	if f == nil {
		return
	}
	text := ""
	if len(f.Overridden) > 0 {
		text = "; " + strings.Join(f.Overridden, ", ")
	}
	r.fact("%q (--config) has %s%s", f.Path, counted(f.Settings, "setting"), text)
	if len(f.Secrets) > 0 {
		r.checkSecret(configFlag, f.Path)
	}
}
