package telemetry

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const nodeRetransmits = "fodc_node_netstat_tcp_retrans_segs_total"

// A node in the agent's network namespace has no figures of its own.
func TestNodeInTheAgentsNetwork(t *testing.T) {
	root := copyHost(t, "v2")
	all, _ := readAll(Sources(modern(root)))
	require.Equal(t, 450.0, values(all)[nodeRetransmits])
	require.Equal(t, 95.0, values(all)["node_netstat_Tcp_RetransSegs"])

	require.NoError(t, os.RemoveAll(filepath.Join(root, "proc/200/net")))
	require.NoError(t, os.Symlink("../net", filepath.Join(root, "proc/200/net")))
	all, problems := readAll(Sources(modern(root)))
	require.NotContains(t, page(all), "fodc_node_netstat_")
	require.Equal(t, 95.0, values(all)["node_netstat_Tcp_RetransSegs"])
	require.Empty(t, problems)
}

func TestNetFigures(t *testing.T) {
	f := func(text, wantErr string, want ...float64) {
		t.Helper()
		var got []float64
		err := eachNetFigure(text, netFigures["netstat"], func(_ netFigure, v float64) { got = append(got, v) })
		require.Equal(t, want, got)
		if wantErr == "" {
			require.NoError(t, err)
			return
		}
		require.EqualError(t, err, wantErr)
	}
	f("TcpExt: TW ListenOverflows ListenDrops\nTcpExt: 3 4 5\n", "", 4, 5)
	f("IpExt: A\nIpExt: 1\nTcpExt: ListenDrops\nTcpExt: 5\nTcpExt: 6\n", "", 5)
	f("TcpExt: TW\nIpExt: A\nTcpExt: -1\n", "")
	f("TcpExt: ListenDrops ListenOverflows\nTcpExt: x 5\n", `ListenDrops of TcpExt is no number: "x"`, 5)
	f("TcpExt: ListenDrops\nTcpExt: -1\n", `ListenDrops of TcpExt is no number: "-1"`)
	f("TcpExt: ListenDrops TW\nTcpExt: 1\n", "TcpExt has 2 names and 1 figures")
	f("TcpExt: ListenDrops TW\n", "TcpExt has 2 names and 0 figures")
	f("TcpExt:\nTcpExt:\n", "TcpExt has 0 names and 0 figures")
	f("", "TcpExt has 0 names and 0 figures")
	f("TcpExt", "TcpExt has 0 names and 0 figures")
}

// The names are the kernel's: one that is misspelled here would be missing everywhere.
func TestNetFiguresOfThisKernel(t *testing.T) {
	for file, figures := range netFigures {
		text, err := readText("/proc/net", file)
		if err != nil {
			t.Skip("it needs /proc")
		}
		require.NoError(t, eachNetFigure(text, figures, func(netFigure, float64) {}))
		for _, f := range figures {
			require.Contains(t, strings.Fields(text), f.field)
		}
	}
}

func FuzzNetFigures(f *testing.F) {
	f.Add("TcpExt: TW ListenOverflows\nTcpExt: 3 4\n")
	f.Add("TcpExt: ListenDrops\nTcpExt: x\n")
	f.Fuzz(func(t *testing.T, text string) {
		seen := map[string]bool{}
		err := eachNetFigure(text, netFigures["netstat"], func(f netFigure, v float64) {
			require.False(t, seen[f.field], "twice")
			require.GreaterOrEqual(t, v, 0.0)
			seen[f.field] = true
		})
		require.True(t, err != nil || strings.Contains(text, "TcpExt:"))
	})
}
