package modes

import (
	"errors"
	"testing"
	"testing/synctest"

	"fodc/modes/files"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func observedReload() (*Reload, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.InfoLevel)
	log := zap.New(core)
	return newReload(log, files.NewWatcher(log)), logs
}

func messagesOf(logs *observer.ObservedLogs) (texts []string) {
	for _, e := range logs.TakeAll() {
		text := e.Message
		if what, ok := e.ContextMap()["what"].(string); ok {
			text += ": " + what
		}
		texts = append(texts, text)
	}
	return texts
}

func TestReloadWithoutFilesSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, logs := observedReload()
		r.request()
		synctest.Wait()
		require.Equal(t, []string{"nothing to read again at SIGHUP: no files are in use"}, messagesOf(logs))
	})
}

func TestReloadReadsAllFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, logs := observedReload()
		var read []string
		r.Add("a", func() error { read = append(read, "a"); return errors.New("no such file") })
		removeB := r.Add("b", func() error { panic("bad file") })
		r.Add("c", func() error { read = append(read, "c"); return nil })
		r.request()
		synctest.Wait()
		require.Equal(t, []string{"a", "c"}, read)
		const failed = "cannot read again at SIGHUP: what was read before stays in force: "
		require.Equal(t, []string{failed + "a", failed + "b", "read again at SIGHUP: c"}, messagesOf(logs))
		removeB()
		removeB()
		r.request()
		synctest.Wait()
		require.Equal(t, []string{failed + "a", "read again at SIGHUP: c"}, messagesOf(logs))
	})
}

// While a file is being read, any number of signals makes it be read once more.
func TestReloadsAreOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := observedReload()
		started, release := 0, make(chan struct{})
		r.Add("a", func() error {
			started++
			<-release
			return nil
		})
		for range 3 {
			r.request()
			synctest.Wait()
			require.Equal(t, 1, started)
		}
		release <- struct{}{}
		synctest.Wait()
		require.Equal(t, 2, started)
		release <- struct{}{}
		synctest.Wait()
		require.Equal(t, 2, started)
		r.request()
		synctest.Wait()
		require.Equal(t, 3, started)
		release <- struct{}{}
	})
}
