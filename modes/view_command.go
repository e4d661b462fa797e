package modes

import (
	"context"
	"io"
)

// ViewConfig is what fodc view is asked for.
type ViewConfig struct {
	// Path is a bundle, or a directory with incidents.
	Path string
	// ListenAddress is where the pages are served. Default 127.0.0.1:17912, or another port if that is taken.
	ListenAddress string
	// OtherPort says that the address is the default, so that any port will do.
	OtherPort bool
}

const viewDescription = `BUNDLE is the file that fodc incidents export writes, DIRECTORY an unpacked one, that of one incident or of many, or the storage
directory of an agent or a proxy. It is only read. The incidents are served as a proxy does it, and so is the HTTP API of
Prometheus over the samples of all nodes: Grafana, or a browser at /api/v1/query?query=fodc_node_up, needs nothing else. The time
of a query that names none is that of the newest sample. Ctrl-C ends it, and removes what was unpacked.

   fodc view fodc-incident-01KDVX3M9V5T6Q2W8R4Y7B1N0C.tar.gz`

var viewOperand = operand{"BUNDLE|DIRECTORY", "the file of an incident (.tar.gz), or a directory of incidents", "must be a file or a directory", "one BUNDLE or DIRECTORY is allowed", ""}

func viewTool(run Runners) tool {
	var c ViewConfig
	listen := textOption(&c.ListenAddress, "listen-address", "127.0.0.1:17912", "`ADDRESS` of the HTTP server, host:port; if it is not given and taken, another port is used")
	return tool{
		name:        "view",
		usage:       "serves an incident that is in a file or a directory, with queries over its metrics, on this machine",
		description: viewDescription,
		operand:     viewOperand,
		options:     []*option{listen},
		finish: func() error {
			c.OtherPort = len(listen.given) == 0
			return checkListenAddr("listen-address", c.ListenAddress)
		},
		run: func(ctx context.Context, path string, stdout, stderr io.Writer) error {
			c.Path = path
			return run.View(ctx, c, stdout, stderr)
		},
	}
}
