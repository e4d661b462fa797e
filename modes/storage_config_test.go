package modes

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// storageOf returns the storage of an agent with the flags.
func storageOf(t *testing.T, flags ...string) StorageConfig {
	t.Helper()
	o := run(t, nil, nil, append([]string{"agent", "--node-id", "n", "--node-role", "r"}, flags...)...)
	require.Equal(t, exitClean, o.code, o.stderr)
	return o.config.(AgentConfig).Storage
}

func TestStorageUnits(t *testing.T) {
	retention := func(want time.Duration, text string) {
		t.Helper()
		require.Equal(t, want, storageOf(t, "--storage-retention-time", text).RetentionTime)
	}
	retention(72*time.Hour, "3d")
	retention(14*24*time.Hour, "2w")
	retention(90*time.Minute, "1h30m")
	retention(90*time.Minute, "1.5h")
	retention(time.Minute, "60000ms")
	retention(36*time.Hour, "1d12h")
	retention(365*24*time.Hour, "1y")
	retention(10*year, "10y")
	retention(1*time.Minute, "1m")

	size := func(want int64, text string) {
		t.Helper()
		require.Equal(t, want, storageOf(t, "--storage-retention-size", text).RetentionBytes)
	}
	size(512<<20, "512MB")
	size(512<<20, "512MiB")
	size(1536<<20, "1.5GiB")
	size(16<<20, "16MiB")
	size(20_000_000, "20000000B")
	size(1<<50, "1PiB")

	free := func(want float64, text string) {
		t.Helper()
		require.Equal(t, want, storageOf(t, "--storage-min-free", text).MinFree)
	}
	free(0, "0%")
	free(0.5, "50%")
	free(0.125, "12.5%")
}

// Standalone mode stores by default, and an empty directory turns that off.
func TestStorageDirOfStandalone(t *testing.T) {
	dir := func(env []string, flags ...string) string {
		t.Helper()
		o := run(t, nil, env, append([]string{"standalone"}, flags...)...)
		require.Equal(t, exitClean, o.code, o.stderr)
		return o.config.(StandaloneConfig).Agent.Storage.Dir
	}
	require.Equal(t, "fodc-data", dir(nil))
	require.Equal(t, "fodc-data", dir([]string{"FODC_STORAGE_DIR="}))
	require.Equal(t, "elsewhere", dir([]string{"FODC_STORAGE_DIR=elsewhere"}))
	require.Empty(t, dir(nil, "--storage-dir="))
	require.Empty(t, dir([]string{"FODC_STORAGE_DIR=elsewhere"}, "--storage-dir", ""))
}

// A configuration that did not come from flags is validated with the same errors.
func TestStorageValidate(t *testing.T) {
	valid := defaultAgent.Storage
	f := func(want string, change func(*StorageConfig)) {
		t.Helper()
		c := defaultAgent
		change(&c.Storage)
		err := c.Validate()
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.EqualError(t, err, want)
	}
	f("", func(*StorageConfig) {})
	f("", func(c *StorageConfig) { c.Dir = "x"; c.MinFree = 0 })
	f(`--storage-dir "a\nb": must be the path of a directory, one line of at most 4096 bytes, in UTF-8`,
		func(c *StorageConfig) { c.Dir = "a\nb" })
	f(`--storage-retention-time "1s": must be a duration from 1m to 10y, such as 72h, 3d or 2w`,
		func(c *StorageConfig) { c.RetentionTime = time.Second })
	f(`--storage-retention-size "15MiB": must be a size from 16MiB to 1PiB, such as 512MiB or 2GiB`,
		func(c *StorageConfig) { c.RetentionBytes = 15 << 20 })
	f(`--storage-sync-interval "1h0m0s": must be a duration from 100ms to 10m, such as 10s`,
		func(c *StorageConfig) { c.SyncInterval = time.Hour })
	f(`--storage-min-free "75%": must be a percentage from 0% to 50%, such as 5%`,
		func(c *StorageConfig) { c.MinFree = 0.75 })
	require.Equal(t, StorageConfig{RetentionTime: 72 * time.Hour, RetentionBytes: 512 << 20, SyncInterval: 10 * time.Second, MinFree: 0.05}, valid)
}
