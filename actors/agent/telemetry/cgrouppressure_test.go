package telemetry

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParsePressure(t *testing.T) {
	f := func(text string, wantSome, wantFull uint64, wantErr string) {
		t.Helper()
		p, err := parsePressure(text)
		got := func(n *uint64) uint64 {
			if n == nil {
				return 0
			}
			return *n
		}
		require.Equal(t, []uint64{wantSome, wantFull}, []uint64{got(p.some), got(p.full)})
		if wantErr == "" {
			require.NoError(t, err)
			return
		}
		require.EqualError(t, err, wantErr)
	}
	const some, full = "some avg10=0.10 avg60=0.00 avg300=0.00 total=7\n", "full avg10=0.00 avg60=0.00 avg300=0.00 total=3\n"
	f(some+full, 7, 3, "")
	f(full+some, 7, 3, "")
	f(some, 7, 0, "")
	f(full, 0, 3, "")
	f("other total=9\n"+some, 7, 0, "")
	f("some avg10=0.10 total=7 more=1\n", 7, 0, "")
	f(some+strings.Replace(some, "7", "8", 1), 7, 0, "")
	f("", 0, 0, "it has no totals")
	f("total=7\n", 0, 0, "it has no totals")
	f("some\n"+full, 0, 3, `a line has no total: "some\n"`)
	f("some avg10=0.10 total=-7\n"+full, 0, 3, `a line has no total: "some avg10=0.10 total=-7\n"`)
	f("some total=99999999999999999999\n", 0, 0, `a line has no total: "some total=99999999999999999999\n"`)
}

func FuzzPressure(f *testing.F) {
	f.Add("some avg10=0.10 avg60=0.00 avg300=0.00 total=7\nfull total=3\n")
	f.Add("full total=")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePressure(text)
		require.True(t, err != nil || p.some != nil || p.full != nil, "it is read, or there is a reason")
	})
}

// A kernel without pressure figures lacks the part, which is no fault.
func TestNoPressure(t *testing.T) {
	root := copyHost(t, "v2")
	for _, file := range []string{"cpu", "memory", "io"} {
		require.NoError(t, os.Remove(filepath.Join(root, "sys/fs/cgroup/system.slice/banyandb.service", file+".pressure")))
	}
	got, problems := cgroups(t, root, "0::/system.slice/banyandb.service\n")
	require.ErrorIs(t, problems["pressure of the node's control group"], os.ErrNotExist)
	require.NotContains(t, got, `fodc_cgroup_pressure_io_waiting_seconds_total{process="node"}`)
	require.Contains(t, got, `fodc_cgroup_pressure_io_waiting_seconds_total{process="agent"}`)
	require.Contains(t, got, nodeMemory)

	_, problems = cgroups(t, root, "4:memory:/db\n3:cpu:/db\n")
	require.EqualError(t, problems["pressure of the node's control group"], "process 200 has no control group of version 2: unsupported operation")
	require.ErrorIs(t, problems["pressure of the node's control group"], errors.ErrUnsupported)
}

// Where version 2 is mounted beside version 1, the pressure figures are in it.
func TestPressureOfBothVersions(t *testing.T) {
	root := copyHost(t, "v2")
	require.NoError(t, os.Remove(filepath.Join(root, "sys/fs/cgroup/cgroup.controllers")))
	write(t, root, "sys/fs/cgroup/unified/db/io.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=9000000\n")
	got, problems := cgroups(t, root, "4:memory:/db\n1:name=systemd:/db\n0::/db\n")
	require.Equal(t, 9.0, got[`fodc_cgroup_pressure_io_waiting_seconds_total{process="node"}`])
	require.NotContains(t, got, `fodc_cgroup_pressure_io_stalled_seconds_total{process="node"}`)
	require.ErrorIs(t, problems["pressure of the node's control group"], os.ErrNotExist, "of the others")
}

// Version 1 counts other pages, and not in one unit: none of it is taken for that of version 2.
func TestReclaimOfVersion1(t *testing.T) {
	all, problems := readAll(Sources(old("testdata/v1")))
	require.ErrorIs(t, problems["reclaim of the node's control group"], errors.ErrUnsupported)
	for series := range values(all) {
		require.NotContains(t, series, "fodc_cgroup_memory_workingset")
	}
}

func TestReclaimIsReadOnce(t *testing.T) {
	root := copyHost(t, "v2")
	write(t, root, "sys/fs/cgroup/system.slice/banyandb.service/memory.stat", "pgscan 5\npgscan 6\npgsteal x\npgscan_proactive 7\nanon 8\n")
	got, problems := cgroups(t, root, "0::/system.slice/banyandb.service\n")
	require.Equal(t, 5.0, got[`fodc_cgroup_memory_pgscan_total{process="node"}`])
	require.EqualError(t, problems["reclaim of the node's control group"], `memory.stat has a line that is no name and number: "pgsteal x\n"`)
	for series := range got {
		require.NotContains(t, series, "proactive")
		require.NotContains(t, series, "pgsteal_total")
	}
}
