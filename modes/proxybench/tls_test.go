//go:build bench && linux

package proxybench

import (
	"crypto/tls"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"text/tabwriter"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

// tlsLimit is how many times the processor time a sample may take with TLS and certificates of both sides that it takes
// without encryption.
const tlsLimit = 1.5

// startSecured starts a proxy whose agents need a certificate. They share one.
func startSecured(t *testing.T) *process {
	dir, ca := t.TempDir(), certtest.NewCA(t, "bench")
	cert, key := ca.Issue(t, certtest.Leaf{IPs: []string{"127.0.0.1"}, Server: true}).Write(t, dir, "proxy")
	p := start(t, func(grpcAddr, httpAddr string) *exec.Cmd {
		return proxyCommand(grpcAddr, httpAddr, "--grpc-tls-cert-file", cert, "--grpc-tls-key-file", key,
			"--grpc-client-ca-file", ca.Write(t, dir, "ca"), "--grpc-node-id-from", "none")
	})
	p.agents = &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, certtest.Leaf{CN: "bench", Client: true}).TLS}, RootCAs: ca.Pool(), ServerName: "127.0.0.1"}
	return p
}

// What TLS with certificates of both sides costs a proxy that is asked again and again.
func TestBenchProxyTLS(t *testing.T) {
	skipUnless(t, "mTLS")
	var runs []run
	for _, name := range []string{"own", "baseline"} {
		plain := run{name: name, load: load{agents: 100, series: 300, own: name == "own"}, path: "/metrics", scrapes: 100}
		secured := plain
		secured.name, secured.secured = name+", mTLS", true
		runs = append(runs, plain, secured)
	}
	all := measureAll(t, runs)
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "medians\tCPU us/sample\tx plain\tlimit\t\tp50 ms\tx plain\tpeak MiB\tx plain\t\n")
	for i := 1; i < len(runs); i += 2 {
		cpu, ofCPU := medianOf(all[i], all[i-1], func(r result) float64 { return r.cpu })
		p50, ofP50 := medianOf(all[i], all[i-1], func(r result) float64 { return r.p50 })
		peak, ofPeak := medianOf(all[i], all[i-1], func(r result) float64 { return r.peak })
		verdict := "within"
		if ofCPU > tlsLimit {
			verdict = "OVER"
		}
		fmt.Fprintf(w, "%s\t%.3f\t%.2f\t%.3g x\t%s\t%.1f\t%.2f\t%.1f\t%.2f\t\n", runs[i].name, cpu, ofCPU, tlsLimit, verdict, p50, ofP50, peak, ofPeak)
	}
	require.NoError(t, w.Flush())
}
