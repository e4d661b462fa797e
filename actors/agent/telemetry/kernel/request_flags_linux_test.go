//go:build amd64 || arm64

package kernel

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cilium/ebpf/btf"
	"github.com/stretchr/testify/require"
)

func TestRequestFlags(t *testing.T) {
	const name = "\x00__RQF_FLUSH_SEQ\x00"
	enum := func(name string) *btf.Enum {
		return &btf.Enum{Name: name, Size: 4, Values: []btf.EnumValue{{Name: "__RQF_FLUSH_SEQ", Value: 3}, {Name: "__RQF_IO_STAT", Value: 9}}}
	}
	for _, c := range []struct {
		of   string
		enum *btf.Enum
		raw  string
		want requestFlags
	}{
		{"Macros", nil, "\x00rq_flags\x00", requestMacros},
		{"Nothing", nil, "", requestMacros},
		{"Named", enum("rqf_flags"), "", requestFlags{1 << 3, 1 << 9}},
		{"NamedWithoutThem", &btf.Enum{Name: "rqf_flags", Size: 4}, name, requestEnum},
		{"Anonymous", enum(""), "\x00a" + name, requestEnum},
		{"LongerName", nil, "\x00__RQF_FLUSH_SEQUENCE\x00", requestMacros},
	} {
		t.Run(c.of, func(t *testing.T) {
			var all []btf.Type
			if c.enum != nil {
				all = append(all, c.enum)
			}
			got, err := requestFlagsOf(typesOf(t, all), strings.NewReader(c.raw))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	_, err := requestFlagsOf(typesOf(t, nil), iotest.ErrReader(errors.New("no disk")))
	require.ErrorContains(t, err, "no disk")
}

func typesOf(t *testing.T, all []btf.Type) *btf.Spec {
	t.Helper()
	b, err := btf.NewBuilder(append(all, &btf.Int{Name: "int", Size: 4}), nil)
	require.NoError(t, err)
	raw, err := b.Marshal(nil, nil)
	require.NoError(t, err)
	types, err := btf.LoadSpecFromReader(bytes.NewReader(raw))
	require.NoError(t, err)
	return types
}

// The text is found wherever it stands, also across two parts.
func TestHasText(t *testing.T) {
	text := []byte("abcabd")
	for at := 64<<10 - 10; at <= 64<<10+10; at++ {
		raw := append(bytes.Repeat([]byte{'a'}, at), text...)
		for _, r := range []io.Reader{bytes.NewReader(raw), iotest.DataErrReader(bytes.NewReader(append(raw, 'x')))} {
			found, err := hasText(r, text)
			require.NoError(t, err)
			require.True(t, found, at)
		}
		found, err := hasText(bytes.NewReader(raw[:len(raw)-1]), text)
		require.NoError(t, err)
		require.False(t, found, at)
	}
}
