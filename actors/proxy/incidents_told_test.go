package proxy

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/recorder/evidence"

	"github.com/stretchr/testify/require"
)

// hangingFS does not answer to whoever writes a document, until it is let go.
type hangingFS struct {
	evidence.FS
	goOn chan struct{}
}

func (f *hangingFS) Create(name string) (evidence.WriteFile, error) {
	if strings.Contains(name, "incident.json") {
		<-f.goOn
	}
	return f.FS.Create(name)
}

// An Alertmanager is told of an incident when that is stored: so after a kill of the proxy it is told of the same one again. A disk
// that hangs delays that by a bounded time.
func TestAlertmanagerIsToldOfWhatIsStored(t *testing.T) {
	f := func(hangs time.Duration, toldAfter time.Duration) {
		t.Helper()
		fs := &hangingFS{evidence.NewMemory(1 << 20), make(chan struct{})}
		taken := &fakeAlertmanagers{taken: map[string][]alert{}}
		cfg := diskIncidents(fs, evidence.Limits{})
		cfg.Alertmanager = AlertmanagerConfig{URLs: parsed(t, "http://am"), Pages: "http://p", Post: taken.post}
		inWorld(t, cfg, func(t *testing.T, w *world) {
			fs.goOn = make(chan struct{}) // of this bubble
			letGo := sync.OnceFunc(func() { close(fs.goOn) })
			defer letGo()
			p := w.incidentPeer("d1", "ROLE_DATA")
			time.Sleep(5 * time.Second)
			timer := time.AfterFunc(hangs, letGo)
			defer timer.Stop()
			p.fires(1, time.Now(), time.Time{})
			time.Sleep(toldAfter - 50*time.Millisecond)
			synctest.Wait()
			require.Zero(t, taken.count("am"))
			time.Sleep(1100 * time.Millisecond) // The actor looks each second what is due.
			synctest.Wait()
			require.Equal(t, 1, taken.count("am"))
		})
	}
	f(time.Second, time.Second)
	f(time.Hour, keepPatience)
}
