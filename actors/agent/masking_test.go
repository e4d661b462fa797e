package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/actors/agent/mask/masktest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// A token in an endpoint's URL is for the endpoint alone: it is in no label, log, health or
// dump, whether the endpoint answers or not.
func TestTokenOfAnEndpoint(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const url = "http://node/metrics?access_token=hunter2"
		var asked []string
		w.cfg.Targets = []Target{{URL: url}}
		fetch := w.cfg.Fetch
		w.cfg.Fetch = func(ctx context.Context, url string) ([]byte, string, error) {
			asked = append(asked, url)
			return fetch(ctx, url)
		}
		w.node.serve("", errors.New("the endpoint moved to http://u:hunter2@node/"))
		w.run()
		w.pass(10 * time.Second)
		w.node.serve("good 1\nhttp://u:hunter2@h/ 1\n", nil)
		w.pass(time.Minute)
		require.Equal(t, url, asked[0])

		health, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		require.Equal(t, "http://node/metrics?access_token=***", health.Targets[0].Endpoint)
		require.Equal(t, "the endpoint moved to http://u:***@node/", health.Events[0].Detail)
		blocks, err := w.agent.Latest(t.Context(), messages.Selection{})
		require.NoError(t, err)
		tree := w.sys.Tree()
		for what, value := range map[string]any{"health": health, "samples": blocks, "tree": tree, "logs": w.logs.All()} {
			text := fmt.Sprintf("%+v", value)
			require.Contains(t, text, "***", what)
			require.NotContains(t, text, "hunter2", what)
		}
	})
}

// None of the secrets of a node's configuration is in what goes to a proxy.
func TestSecretsOnTheWire(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		write := w.withConfig()
		var text strings.Builder
		for i, c := range masktest.Secrets() {
			fmt.Fprintf(&text, "n%d: {%q: %q}\n", i, c.Key, c.Value)
		}
		write(text.String())
		w.run()
		sent := w.proxy.sessions()[0].frames[0]
		require.Empty(t, sent.GetConfiguration().GetErrors()[1:], "all of the file is there; there is no process")
		require.Len(t, sent.GetConfiguration().GetRuntimeConfig(), len(masktest.Secrets()))
		frame, err := proto.Marshal(sent)
		require.NoError(t, err)
		readable, err := protojson.Marshal(sent)
		require.NoError(t, err)
		for _, c := range masktest.Secrets() {
			require.Empty(t, c.LeakAmong(string(frame)), "%s = %s", c.Key, c.Value)
			require.Empty(t, c.LeakAmong(string(readable)), "%s = %s", c.Key, c.Value)
		}
	})
}
