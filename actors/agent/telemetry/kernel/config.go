package kernel

// Config says what is traced.
type Config struct {
	// DataDirs are the directories of the node's data, as absolute paths: their disks are measured.
	DataDirs []string
	// Proc and Sys are the directories that these file systems are mounted at; empty: /proc and /sys.
	Proc, Sys string
}

func (c Config) proc() string { return or(c.Proc, "/proc") }
func (c Config) sys() string  { return or(c.Sys, "/sys") }

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
