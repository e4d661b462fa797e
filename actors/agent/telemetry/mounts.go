package telemetry

import (
	"fmt"
	"path"
	"strings"

	"github.com/prometheus/procfs"
)

// mount is a mounted file system. number is that of its device, as "major:minor".
type mount struct{ device, fsType, point, number string }

// mountOf returns the mount that has the absolute path. Of several mounts at the same point,
// the last one hides the others.
func mountOf(mounts []*procfs.MountInfo, dir string) (mount, error) {
	dir = path.Clean(dir)
	var best mount
	for _, m := range mounts {
		point := unescapeMount(m.MountPoint)
		if contains(point, dir) && len(point) >= len(best.point) {
			best = mount{unescapeMount(m.Source), m.FSType, point, m.MajorMinorVer}
		}
	}
	if best.point == "" {
		return mount{}, fmt.Errorf("no mount is known that %s lies in", dir)
	}
	return best, nil
}

func contains(point, dir string) bool {
	rest, ok := strings.CutPrefix(dir, point)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(point, "/"))
}

// unescapeMount decodes the octal escapes that the kernel writes for white space and
// backslashes: \040 is a space.
func unescapeMount(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) && isOctal(text[i+1:i+4]) {
			out = append(out, (text[i+1]-'0')<<6|(text[i+2]-'0')<<3|(text[i+3]-'0'))
			i += 3
			continue
		}
		out = append(out, text[i])
	}
	return string(out)
}

func isOctal(digits string) bool { return strings.Trim(digits, "01234567") == "" && digits[0] <= '3' }
