package wire

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// dump shows blocks such that two are equal if and only if their texts are: the
// bits of NaNs included.
func dump(blocks []messages.Block) string {
	var b strings.Builder
	for _, block := range blocks {
		fmt.Fprintf(&b, "block %s%d\n", dumpTarget(block.Target), block.Times)
		for _, f := range block.Families {
			fmt.Fprintf(&b, "  %s(%d) %q %q\n", f.Type, f.Type, f.Name, f.Help)
			for _, s := range f.Series {
				fmt.Fprintf(&b, "    %s{%s}", s.Suffix, s.Labels)
				for _, v := range s.Values {
					fmt.Fprintf(&b, " %s", dumpValue(v))
				}
				b.WriteByte('\n')
			}
		}
	}
	return b.String()
}

func dumpTarget(target string) string {
	if target == "" {
		return ""
	}
	return fmt.Sprintf("of %q ", target)
}

func dumpValue(v float64) string {
	switch {
	case messages.IsGap(v):
		return "gap"
	case math.IsNaN(v):
		return fmt.Sprintf("NaN:%x", math.Float64bits(v))
	default:
		return fmt.Sprint(v)
	}
}

// sent returns the frame as the peer reads it.
func sent[T proto.Message](t require.TestingT, frame, empty T) T {
	b, err := proto.Marshal(frame)
	require.NoError(t, err)
	require.NoError(t, proto.Unmarshal(b, empty))
	return empty
}

// requireValid fails unless the blocks are as package messages describes them.
func requireValid(t *testing.T, blocks []messages.Block) {
	t.Helper()
	for _, b := range blocks {
		require.NotEmpty(t, b.Times)
		require.True(t, len(b.Families) > 0 || b.Target != "")
		require.True(t, len(b.Target) <= messages.MaxTargetBytes && utf8.ValidString(b.Target))
		for i, at := range b.Times {
			require.True(t, at >= minTime && at <= maxTime)
			require.True(t, i == 0 || at > b.Times[i-1])
		}
		for _, f := range b.Families {
			require.NoError(t, messages.CheckMetricName(f.Name))
			require.LessOrEqual(t, f.Type, messages.TypeUntyped)
			require.LessOrEqual(t, len(f.Help), messages.MaxHelpBytes)
			require.NotEmpty(t, f.Series)
			for _, s := range f.Series {
				require.True(t, f.Type.Has(s.Suffix))
				require.NoError(t, messages.CheckLabelText(s.Labels))
				require.Len(t, s.Values, len(b.Times))
			}
		}
	}
}
