package proxy

import (
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// A liaison whose agent cannot read the registry does not keep the proxy from asking another one.
func TestAnotherLiaisonIsAskedForTheRegistry(t *testing.T) {
	cfg := testConfig
	cfg.SchemaInterval = time.Minute
	inWorld(t, cfg, func(t *testing.T, w *world) {
		serve := func(name string, registry *messages.SchemaGroup) {
			a := w.connect(firstOf(name, true))
			a.beat()
			answer := func(k string, part func() messages.Part) {
				p := a.peer(kindsOfQuestions[k])
				go func() {
					for {
						q, ok := p.next()
						if !ok {
							return
						}
						p.send(q, wire.Reply{End: wire.EndYes, Part: part()})
					}
				}()
			}
			answer("lifecycle", func() messages.Part { return schemaNode(name, time.Now(), 5, 5).Parts[0] })
			answer("schema", func() messages.Part { return registry })
		}
		serve("a", &messages.SchemaGroup{Error: "this agent cannot read it"})
		serve("b", schemaOfG)
		status := func() messages.ConsistencyStatus {
			time.Sleep(time.Minute)
			synctest.Wait()
			require.NotNil(t, w.proxy.Consistency()["g"])
			return w.proxy.Consistency()["g"].Status
		}
		time.Sleep(time.Second)
		require.Equal(t, messages.ConsistencyUnknown, status())
		require.Equal(t, messages.ConsistencyConsistent, status())
		require.Equal(t, messages.ConsistencyConsistent, status(), "and then again")
	})
}
