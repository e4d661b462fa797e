package crash

import (
	"regexp"
	"strings"
	"time"
)

// dirName is the name of an artifact's directory: UTC time, component and process id.
var dirName = regexp.MustCompile(`(?s)^(?:UTC-)?(\d{4})-?(\d\d)-?(\d\d)[T_-]?(\d\d)[-:.]?(\d\d)[-:.]?(\d\d)(?:[.,_](\d{1,9}))?Z?(?:-(.+?))??(?:-(\d{1,10}))?$`)

// named is what the name of an artifact's directory says.
type named struct {
	at             time.Time
	component, pid string
}

// parseDirName returns what the name says; all of it is empty where it has another form.
func parseDirName(name string) named {
	m := dirName.FindStringSubmatch(name)
	if m == nil {
		return named{}
	}
	fraction := (m[7] + "000000000")[:9]
	at, err := time.Parse("20060102150405.000000000", strings.Join(m[1:7], "")+"."+fraction)
	if err != nil {
		return named{}
	}
	return named{at: at, component: cleanName(m[8]), pid: m[9]}
}
