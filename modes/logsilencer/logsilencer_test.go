package logsilencer

import (
	"io"
	"log"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStandardLogIsSilent(t *testing.T) {
	require.Equal(t, io.Discard, log.Writer())
}
