package kernel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// maxStack bounds how many layers a device may have: a volume on a mirror on encrypted partitions has four.
const maxStack = 8

// findDevices returns the file systems that the directories lie in, and the disks below them. It reads no file of
// these file systems, but the path of a directory may have links, which may hang.
func findDevices(proc, sys string, dirs []string) (devices, error) {
	mounts, err := mountsOf(proc)
	if err != nil {
		return devices{}, err
	}
	var found devices
	var failures []error
	for _, dir := range dirs {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real
		}
		fileSystem, err := fileSystemOf(mounts, sys, dir)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		found.add(devices{fileSystems: []device{fileSystem.device}, disks: disksOf(sys, fileSystem.disk, 0)})
	}
	return found, errors.Join(failures...)
}

func mountsOf(proc string) ([]*procfs.MountInfo, error) {
	fs, err := procfs.NewFS(proc)
	if err != nil {
		return nil, err
	}
	self, err := fs.Self()
	if err != nil {
		return nil, err
	}
	return self.MountInfo()
}

// fileSystem is a mounted file system: the device that its files name, and the block device with its data.
type fileSystem struct{ device, disk device }

func fileSystemOf(mounts []*procfs.MountInfo, sys, dir string) (of fileSystem, err error) {
	best := (*procfs.MountInfo)(nil)
	for _, m := range mounts {
		point := unescape(m.MountPoint)
		if liesIn(dir, point) && (best == nil || len(point) >= len(unescape(best.MountPoint))) {
			best = m
		}
	}
	if best == nil {
		return of, fmt.Errorf("no mount is known that %s lies in", dir)
	}
	if of.device, err = parseNumber(best.MajorMinorVer); err != nil {
		return of, fmt.Errorf("mount of %s: %w", dir, err)
	}
	of.device.name, of.disk = best.MajorMinorVer, of.device
	if name := nameOf(sys, of.device); name != "" {
		of.device.name = name
	} else if source, ok := strings.CutPrefix(unescape(best.Source), "/dev/"); ok {
		// A file system over several devices, as btrfs, has a number of its own.
		of.device.name = source
		if number, err := os.ReadFile(filepath.Join(sys, "class/block", filepath.Base(source), "dev")); err == nil {
			if disk, err := parseNumber(strings.TrimSpace(string(number))); err == nil {
				of.disk = disk
			}
		}
	}
	of.disk.name = nameOf(sys, of.disk)
	return of, nil
}

// disksOf returns the disks that a block device lies on.
func disksOf(sys string, d device, depth int) (disks []device) {
	dir, err := filepath.EvalSymlinks(filepath.Join(sys, "dev/block", fmt.Sprintf("%d:%d", d.major, d.minor)))
	if err != nil || depth == maxStack {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, "partition")); err == nil {
		dir = filepath.Dir(dir)
	}
	below, _ := os.ReadDir(filepath.Join(dir, "slaves"))
	for _, entry := range below {
		if n, err := readNumber(filepath.Join(dir, "slaves", entry.Name(), "dev")); err == nil {
			disks = append(disks, disksOf(sys, n, depth+1)...)
		}
	}
	if len(below) > 0 {
		return disks
	}
	n, err := readNumber(filepath.Join(dir, "dev"))
	if err != nil {
		return nil
	}
	n.name = filepath.Base(dir)
	return []device{n}
}

// nameOf returns the name of a block device, such as "sda1"; empty: there is none.
func nameOf(sys string, d device) string {
	dir, err := filepath.EvalSymlinks(filepath.Join(sys, "dev/block", fmt.Sprintf("%d:%d", d.major, d.minor)))
	if err != nil {
		return ""
	}
	return filepath.Base(dir)
}

func readNumber(file string) (device, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return device{}, err
	}
	return parseNumber(strings.TrimSpace(string(text)))
}

// parseNumber parses "8:1".
func parseNumber(text string) (d device, err error) {
	major, minor, _ := strings.Cut(text, ":")
	ma, err := strconv.ParseUint(major, 10, 12)
	if err != nil {
		return d, fmt.Errorf("%.40q is no number of a device", text)
	}
	mi, err := strconv.ParseUint(minor, 10, 20)
	if err != nil {
		return d, fmt.Errorf("%.40q is no number of a device", text)
	}
	return device{major: uint32(ma), minor: uint32(mi)}, nil
}

func liesIn(dir, point string) bool {
	rest, ok := strings.CutPrefix(filepath.Clean(dir), point)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(point, "/"))
}

// unescape decodes the octal escapes of mountinfo for white space and backslashes.
func unescape(text string) string {
	for _, code := range []string{`\040`, `\011`, `\012`, `\134`} {
		n, _ := strconv.ParseUint(code[1:], 8, 8)
		text = strings.ReplaceAll(text, code, string(rune(n)))
	}
	return text
}
