package telemetry

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// dependents says for each file of the modern host which series are read of it, but
// may be read without other files.
var dependents = map[string]string{
	"proc/stat":                              `^node_(cpu|boot|context|forks|intr|procs)_|^fodc_node_process_start_time`,
	"proc/loadavg":                           `^node_load`,
	"proc/meminfo":                           `^node_memory_`,
	"proc/vmstat":                            `^node_vmstat_`,
	"proc/pressure/cpu":                      `^node_pressure_cpu_`,
	"proc/pressure/io":                       `^node_pressure_io_`,
	"proc/pressure/memory":                   `^node_pressure_memory_`,
	"proc/diskstats":                         `^node_disk_`,
	"proc/net/dev":                           `^node_network_`,
	"proc/net/sockstat":                      `^node_sockstat_([A-Z]+_|sockets_used)`,
	"proc/net/sockstat6":                     `^node_sockstat_[A-Z]+6_`,
	"proc/sys/fs/file-nr":                    `^node_filefd_`,
	"proc/self":                              `^fodc_cgroup_.*process="agent"|^node_filesystem_|^fodc_ext4_`,
	"proc/100/cgroup":                        `^fodc_cgroup_.*process="agent"`,
	"proc/100/mountinfo":                     `^node_filesystem_|^fodc_ext4_`,
	"proc/100/stat":                          `^$`, // the agent looks for the node only
	"proc/100/comm":                          `^$`,
	"proc/200/stat":                          `^fodc_node_(process|netstat)_|^fodc_cgroup_.*process="node"`,
	"proc/200/comm":                          `^fodc_node_(process|netstat)_|^fodc_cgroup_.*process="node"`,
	"proc/200/cmdline":                       `^fodc_node_(process|netstat)_|^fodc_cgroup_.*process="node"`,
	"proc/200/cgroup":                        `^fodc_cgroup_.*process="node"`,
	"proc/200/io":                            `^fodc_node_process_(read|write)_`,
	"proc/200/limits":                        `^fodc_node_process_max_fds`,
	"proc/200/fd/0":                          `^fodc_node_process_open_fds`,
	"proc/net/snmp":                          `^node_netstat_Tcp_`,
	"proc/net/netstat":                       `^node_netstat_TcpExt_`, // nor is it known whether the node is elsewhere
	"proc/200/net/snmp":                      `^fodc_node_netstat_tcp_`,
	"proc/200/net/netstat":                   `^fodc_node_netstat_`,
	"proc/200/task/200/schedstat":            `^fodc_node_process_(run_queue|timeslices)`,
	"proc/200/task/201/schedstat":            `^fodc_node_process_(run_queue|timeslices)`,
	"sys/class/block/nvme0n1p1/dev":          `^fodc_ext4_`,
	"sys/fs/ext4/nvme0n1p1/errors_count":     `^fodc_ext4_`,
	"sys/fs/ext4/nvme0n1p1/first_error_time": `^fodc_ext4_first`,
	"sys/fs/ext4/nvme0n1p1/last_error_time":  `^fodc_ext4_last`,
	"sys/fs/ext4/dm-3/errors_count":          `^$`, // nothing of the node is in it
	"sys/class/block/dm-3/dev":               `^$`,
	"sys/fs/cgroup/cgroup.controllers":       `^$`, // there is no other mount to choose from
	"sys/fs/cgroup/system.slice/fodc.service/memory.current":      `^fodc_cgroup_memory_current.*process="agent"`,
	"sys/fs/cgroup/system.slice/fodc.service/memory.max":          `^fodc_cgroup_memory_max.*process="agent"`,
	"sys/fs/cgroup/system.slice/fodc.service/memory.events":       `^fodc_cgroup_memory_events.*process="agent"`,
	"sys/fs/cgroup/system.slice/fodc.service/cpu.stat":            `^fodc_cgroup_cpu_.*process="agent"`,
	"sys/fs/cgroup/system.slice/banyandb.service/memory.current":  `^fodc_cgroup_memory_current.*process="node"`,
	"sys/fs/cgroup/system.slice/banyandb.service/memory.max":      `^fodc_cgroup_memory_max.*process="node"`,
	"sys/fs/cgroup/system.slice/banyandb.service/memory.events":   `^fodc_cgroup_memory_events.*process="node"`,
	"sys/fs/cgroup/system.slice/banyandb.service/cpu.stat":        `^fodc_cgroup_cpu_.*process="node"`,
	"sys/fs/cgroup/system.slice/fodc.service/cpu.pressure":        `^fodc_cgroup_pressure_cpu_.*process="agent"`,
	"sys/fs/cgroup/system.slice/fodc.service/memory.pressure":     `^fodc_cgroup_pressure_memory_.*process="agent"`,
	"sys/fs/cgroup/system.slice/fodc.service/io.pressure":         `^fodc_cgroup_pressure_io_.*process="agent"`,
	"sys/fs/cgroup/system.slice/banyandb.service/cpu.pressure":    `^fodc_cgroup_pressure_cpu_.*process="node"`,
	"sys/fs/cgroup/system.slice/banyandb.service/memory.pressure": `^fodc_cgroup_pressure_memory_.*process="node"`,
	"sys/fs/cgroup/system.slice/banyandb.service/io.pressure":     `^fodc_cgroup_pressure_io_.*process="node"`,
	"sys/fs/cgroup/system.slice/banyandb.service/memory.stat":     `^fodc_cgroup_memory_(workingset|pg)`,
}

// optionalFiles are the files whose absence is no problem: the group has no limit, IP version
// 6 is off, the kernel does not say when, or nothing is read of them.
var optionalFiles = []string{"proc/net/sockstat6", "proc/100/stat", "proc/100/comm", "proc/200/fd/0", "sys/fs/ext4/dm-3/errors_count", "sys/class/block/dm-3/dev",
	"sys/fs/ext4/nvme0n1p1/first_error_time", "sys/fs/ext4/nvme0n1p1/last_error_time", "sys/fs/cgroup/cgroup.controllers"}

func dependentsOf(t *testing.T, file string) *regexp.Regexp {
	t.Helper()
	if strings.HasPrefix(file, "proc/200/fd/") {
		file = "proc/200/fd/0"
	}
	pattern, known := dependents[file]
	require.True(t, known, "what is read of %s?", file)
	return regexp.MustCompile(pattern)
}

func TestMissingFiles(t *testing.T) {
	all, _ := readAll(Sources(modern("testdata/v2")))
	full := values(all)
	for _, file := range filesOf(t, "testdata/v2") {
		t.Run(file, func(t *testing.T) {
			root := copyHost(t, "v2")
			require.NoError(t, os.Remove(filepath.Join(root, file)))
			all, problems := readAll(Sources(modern(root)))
			checkSamples(t, all)
			got, may := values(all), dependentsOf(t, file)
			lost := 0
			for s, v := range full {
				if now, there := got[s]; !there || now != v {
					require.Regexp(t, may, s, "lost for want of %s", file)
					lost++
				}
				delete(got, s)
			}
			require.Empty(t, got, "new without %s", file)
			if slices.Contains(optionalFiles, file) || strings.HasPrefix(file, "proc/200/fd/") {
				require.Empty(t, problems)
				return
			}
			require.NotEmpty(t, problems)
			// The group has no limit, and there is another thread.
			if !strings.HasSuffix(file, "banyandb.service/memory.max") && !strings.HasSuffix(file, "/schedstat") {
				require.Positive(t, lost)
			}
		})
	}
}

func TestNoHostAtAll(t *testing.T) {
	root := t.TempDir()
	all, problems := readAll(Sources(modern(root)))
	require.Empty(t, all)
	require.ElementsMatch(t, []string{"host", "control group", "node's process",
		"data directory /data/one", "data directory /data/two", "data directory /link", "data directory /srv"}, slices.Collect(maps.Keys(problems)))
}

// Garbage costs what is read of the file, and nothing else.
func TestGarbage(t *testing.T) {
	all, _ := readAll(Sources(modern("testdata/v2")))
	full := values(all)
	root := copyHost(t, "v2")
	for _, file := range filesOf(t, "testdata/v2") {
		if file == "proc/self" || strings.HasPrefix(file, "proc/200/fd/") || dependents[file] == `^$` {
			continue // a link, files of which only the number counts, and those that are not read
		}
		original, err := os.ReadFile(filepath.Join("testdata/v2", file))
		require.NoError(t, err)
		may := dependentsOf(t, file)
		for _, garbage := range garbageLike(string(original)) {
			write(t, root, file, garbage)
			all, _ := readAll(Sources(modern(root)))
			got := values(all)
			for s, v := range full {
				if now, there := got[s]; !there || now != v {
					require.Regexp(t, may, s, "changed by %q in %s", garbage, file)
				}
			}
			for _, r := range all {
				if err := messages.CheckMetricName(r.Name); err != nil {
					require.NoError(t, err, "%q in %s", garbage, file)
				}
			}
		}
		write(t, root, file, string(original))
	}
}

var digits = regexp.MustCompile(`[0-9]+`)

// garbageLike returns texts that a file could have instead.
func garbageLike(text string) []string {
	all := []string{"", "\n\n\n", "()", "200 ()", "a b c\n", "\x00\xff\xfe", "-1", "max\n", "NaN", "1e999", "0::", "::",
		"cpux 1\n", "some\n", "1\n2\neth0: 1 2\n", "TCP: inuse\n", "sockets: used x\n", " - ", strings.Repeat("9", 400), strings.Repeat("x ", 40_000), text + text,
		digits.ReplaceAllString(text, "99999999999999999999999"), digits.ReplaceAllString(text, "-5"), digits.ReplaceAllString(text, "x"),
		strings.ReplaceAll(text, "\n", " "), strings.ReplaceAll(text, " ", "\n"), strings.ReplaceAll(text, " ", "")}
	for n := 0; n < len(text); n += 1 + len(text)/4 {
		all = append(all, text[:n], text[n:])
	}
	return all
}

// FuzzFile puts any text into any file: nothing panics past its collector, and what is
// read can be recorded.
func FuzzFile(f *testing.F) {
	root := copyHost(f, "v2")
	files := filesOf(f, "testdata/v2")
	for i, file := range files {
		text, err := os.ReadFile(filepath.Join("testdata/v2", file))
		if err == nil {
			f.Add(i, string(text))
		}
		f.Add(i, "eth0: 1 2\n200 ()")
	}
	f.Fuzz(func(t *testing.T, i int, text string) {
		if i < 0 || i >= len(files) || files[i] == "proc/self" {
			t.Skip()
		}
		original, err := os.ReadFile(filepath.Join("testdata/v2", files[i]))
		require.NoError(t, err)
		write(t, root, files[i], text)
		all, _ := readAll(Sources(modern(root)))
		for _, r := range all {
			require.NoError(t, messages.CheckMetricName(r.Name))
		}
		write(t, root, files[i], string(original))
	})
}
