package modes

import (
	"path/filepath"

	"fodc/actors/proxy"
	"fodc/actors/proxy/store"
	"fodc/messages"
)

// proxyStorageName is the proxy's directory below the storage directory of standalone mode.
const proxyStorageName = "proxy"

// proxyStorageOptions are the flags of a proxy's storage. In standalone mode the directory is below the
// agent's.
func proxyStorageOptions(c *ProxyConfig) []*option {
	dir := textOption(&c.StorageDir, "storage-dir", "",
		"`DIRECTORY` in which crash records and incidents are kept, so that they survive the process; empty: in memory only")
	dir.defaultText = "none, in memory only"
	return []*option{dir}
}

// proxyStorageDir returns the proxy's directory in standalone mode.
func (c StandaloneConfig) proxyStorageDir() string {
	if c.Agent.Storage.Dir == "" {
		return ""
	}
	return filepath.Join(c.Agent.Storage.Dir, proxyStorageName)
}

// crashes returns the crash records of a proxy's storage; nil without one.
func (s *storage) crashes() proxy.CrashStore {
	if s == nil {
		return nil
	}
	return lockedCrashes{store.NewCrashes(s.dir), &s.lock}
}

// lockedCrashes takes the lock of the directory before it reads or writes there: it may not have been
// there at the start, or may have been removed since.
type lockedCrashes struct {
	*store.Crashes
	lock *storageLock
}

// Load implements proxy.CrashStore.
func (s lockedCrashes) Load() ([]messages.KnownCrash, error) {
	if err := s.lock.acquire(); err != nil {
		return nil, err
	}
	return s.Crashes.Load()
}

// Save implements proxy.CrashStore.
func (s lockedCrashes) Save(c *messages.KnownCrash) error {
	if err := s.lock.acquire(); err != nil {
		return err
	}
	return s.Crashes.Save(c)
}
