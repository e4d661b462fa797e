package agent

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// answer returns a handler that sends these bytes, whatever the request is.
func answer(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, out, err := w.(http.Hijacker).Hijack()
		if err == nil {
			write(conn, out, text)
		}
	}
}

func write(conn net.Conn, out *bufio.ReadWriter, text string) {
	_, _ = out.WriteString(text)
	_ = out.Flush()
	_ = conn.Close()
}

// Error texts are cut, however long the text is that the endpoint has sent.
func TestFailuresAreShort(t *testing.T) {
	long := strings.Repeat("long \xff ", 5_000)
	for _, text := range []string{
		"HTTP/1.1 500 " + long + "\r\n\r\n",
		"HTTP/1.1 302 x\r\nLocation: " + long + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: " + long + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: " + long + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + long + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + long + "\r\n\r\n",
		long + "\r\n\r\n",
	} {
		_, _, err := fetchFrom(t, answer(text))
		require.Error(t, err)
		cause := outcome{err: err}.cause()
		require.LessOrEqual(t, len(cause), maxCauseBytes, "%.40q: %.40q", text, cause)
		require.NotEmpty(t, cause)
	}
}

// An endpoint that is written with the library of Prometheus keeps its names as they
// are, and answers in the text format.
func TestAcceptKeepsNames(t *testing.T) {
	format := expfmt.NegotiateAccept(http.Header{"Accept": {scrapeAccept}}, expfmt.NewFormat(expfmt.TypeOpenMetrics),
		expfmt.NewFormat(expfmt.TypeProtoDelim), expfmt.NewFormat(expfmt.TypeTextPlain))
	require.Equal(t, expfmt.TypeTextPlain, format.FormatType())
	require.Equal(t, model.NoEscaping, format.ToEscapingScheme())
}
