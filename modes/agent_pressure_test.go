package modes

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"fodc/actors/agent/pressure"
	"fodc/recorder/journal/diskfs"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestPressureDirectory(t *testing.T) {
	root := t.TempDir()
	f := func(c PressureConfig, s *storage, want string) {
		t.Helper()
		core, logs := observer.New(zap.InfoLevel)
		got := AgentConfig{Pressure: c, NodePIDFile: "/run/node.pid", NodeProcess: "node"}.pressure(s, zap.New(core))
		if want == "" {
			require.Nil(t, got)
			require.Equal(t, c.Enabled, logs.Len() == 1)
			return
		}
		require.Equal(t, want, got.Store.Dir)
		require.Equal(t, "/run/node.pid", got.NodePIDFile)
		require.Equal(t, "node", got.NodeProcess)
		require.Zero(t, logs.Len())
	}
	inStorage := &storage{dir: root}
	on := PressureConfig{Enabled: true}
	f(on, inStorage, filepath.Join(root, "pressure-profiles"))
	f(on, nil, "")
	f(PressureConfig{}, inStorage, "")
	f(PressureConfig{Enabled: true, Dir: root}, nil, root)
	f(PressureConfig{Enabled: true, Dir: root}, inStorage, root)
	wd, err := os.Getwd()
	require.NoError(t, err)
	f(PressureConfig{Enabled: true, Dir: "b"}, nil, filepath.Join(wd, "b"))
}

// A directory has one agent at a time, on a real file system.
func TestPressureDirectoryIsLocked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "profiles")
	open := func() *pressure.Store {
		c := AgentConfig{Pressure: PressureConfig{Enabled: true, Dir: dir, MaxArtifacts: 1, MaxDiskBytes: 1 << 20, Cooldown: time.Minute}}
		return pressure.NewStore(c.pressure(nil, zap.NewNop()).Store)
	}
	one, two := open(), open()
	_, err := one.Open()
	require.NoError(t, err)
	_, err = two.Open()
	require.ErrorContains(t, err, "directory "+dir+" is in use by process")
	if runtime.GOOS != "windows" {
		require.NoError(t, os.RemoveAll(dir))
		_, err = one.Open()
		require.NoError(t, err, "it is made and locked again")
		_, err = two.Open()
		require.Error(t, err)
	}
	one.Close()
	_, err = two.Open()
	require.NoError(t, err)
	two.Close()
}

// The directory in a storage directory is not made without the lock of that.
func TestPressureDirectoryInAStorage(t *testing.T) {
	root := filepath.Join(t.TempDir(), "storage")
	s, err := StorageConfig{Dir: root}.openStorage(func(error) {})
	require.NoError(t, err)
	defer s.close()
	c := AgentConfig{Pressure: PressureConfig{Enabled: true, MaxArtifacts: 1, MaxDiskBytes: 1 << 20}}
	store := pressure.NewStore(c.pressure(s, zap.NewNop()).Store)
	_, err = store.Open()
	require.NoError(t, err)
	defer store.Close()
	require.DirExists(t, filepath.Join(root, "pressure-profiles"))
	if runtime.GOOS == "windows" {
		return
	}
	require.NoError(t, os.RemoveAll(root))
	other, err := diskfs.Lock(root)
	require.NoError(t, err)
	_, err = store.Open()
	require.ErrorContains(t, err, "is in use by process")
	require.NoDirExists(t, filepath.Join(root, "pressure-profiles"))
	require.NoError(t, other.Release())
	_, err = store.Open()
	require.NoError(t, err)
}

// One flag says to all who ask where the node shows its profiles.
func TestWhereProfilesAre(t *testing.T) {
	f := func(endpoint string, port int, pressure, incidents string) {
		t.Helper()
		c := AgentConfig{Pressure: PressureConfig{Enabled: true, Dir: t.TempDir(), PprofPort: port}, Incidents: AgentIncidentsConfig{PprofEndpoint: endpoint}}
		require.Equal(t, pressure, c.pressure(nil, zap.NewNop()).Endpoint)
		require.Equal(t, incidents, c.pprofEndpoint())
	}
	f("", 6060, "", "")
	f("", 6061, "", "http://127.0.0.1:6061")
	f("http://node:7000/", 6060, "http://node:7000", "http://node:7000")
	f("http://node:7000", 6061, "", "http://node:7000")
}

// A token in the URL of the metrics is not logged.
func TestShownURLs(t *testing.T) {
	c := AgentConfig{Targets: []TargetConfig{{URL: "http://127.0.0.1:2121/metrics?token=hunter2"}}}
	require.Equal(t, []string{"http://127.0.0.1:2121/metrics?token=***"}, c.shownURLs())
}

// What the agent of standalone mode keeps is within the limits of its proxy, too.
func TestLimitsOfStandaloneIncidents(t *testing.T) {
	f := func(size int64, want int64) {
		t.Helper()
		var c AgentIncidentsConfig
		c.limitBy(ProxyIncidentsConfig{MaxCount: 7, RetentionBytes: size})
		require.Equal(t, 7, c.MaxCount)
		require.Equal(t, want, c.RetentionBytes)
	}
	f(100<<20, 100<<20)
	f(5<<30, 512<<20)
}
