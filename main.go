// Command fodc records the metrics of database nodes and shows them in one place.
package main

import (
	"os"

	"fodc/modes"
)

func main() {
	os.Exit(modes.Main(os.Args, os.Stdout, os.Stderr,
		modes.Runners{Proxy: modes.RunProxy, Agent: modes.RunAgent, Standalone: modes.RunStandalone, Inspect: modes.RunInspect, Export: modes.RunExport, Query: modes.RunQuery,
			Incidents: modes.RunIncidents, Rules: modes.RunRules, CheckMask: modes.RunCheckMask, CheckProxy: modes.RunCheckProxy, CheckConfig: modes.RunCheckConfig,
			CheckRules: modes.RunCheckRules, Healthcheck: modes.RunHealthcheck, View: modes.RunView}))
}
