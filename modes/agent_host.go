package modes

import (
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"fodc/actors/agent"
	"fodc/actors/agent/nodeconfig"
	"fodc/actors/agent/telemetry"
	"fodc/messages"
)

// maxDataDirs bounds the data directories of a node.
const maxDataDirs = 16

const (
	pathAllowed    = "must be an absolute path, one line of at most 4096 bytes, in UTF-8"
	processAllowed = "must be the name of a process without its path, one line of at most 4096 bytes, in UTF-8"
)

// maxConfigFiles bounds the node's configuration files.
const maxConfigFiles = 16

// hostOptions are the flags of what is recorded of the host and of the node's process.
func hostOptions(c *AgentConfig) []*option {
	return []*option{
		boolOption(&c.HostTelemetry, "host-telemetry", true,
			"record the host, too, under the names of node_exporter (on Linux); off with --host-telemetry=false"),
		choiceOption(&c.KernelTelemetry, "kernel-telemetry", kernelAuto,
			"measure in the kernel what only it knows (on Linux, with CAP_BPF and CAP_PERFMON): off, auto: as far as that is possible here, or required: the agent ends if it is not",
			[]string{kernelAuto, kernelOff, kernelRequired}),
		listOption(&c.DataDirs, "data-dir", "`DIRECTORY` of the node's data, whose file system is recorded; may be given several times"),
		textOption(&c.NodePIDFile, "node-pid-file", "", "`FILE` with the id of the node's process; then the process is recorded, too"),
		boolOption(&c.CollectConfig, "collect-config", true,
			"read the node's configuration and send it to proxies, with secrets masked; off with --collect-config=false"),
		listOption(&c.NodeConfigFiles, "node-config-file",
			"`FILE` of the node's configuration: YAML, JSON or KEY=VALUE; may be given several times"),
		textOption(&c.NodeProcess, "node-process", "",
			"`NAME` of the node's process; then the process is recorded, too; with --node-pid-file, the name that its process must have"),
	}
}

// Values of --kernel-telemetry.
const (
	kernelAuto     = "auto"
	kernelOff      = "off"
	kernelRequired = "required"
)

func (c AgentConfig) checkHost() error {
	if c.KernelTelemetry == kernelRequired && !c.HostTelemetry {
		return invalid("kernel-telemetry", c.KernelTelemetry, "needs --host-telemetry=true, with which it is recorded")
	}
	for _, dir := range c.DataDirs {
		if !isAbsolute(dir) {
			return invalid("data-dir", dir, pathAllowed)
		}
	}
	if err := checkDistinct("data-dir", c.DataDirs, maxDataDirs); err != nil {
		return err
	}
	for _, name := range c.NodeConfigFiles {
		if !isAbsolute(name) {
			return invalid("node-config-file", name, pathAllowed)
		}
	}
	if err := checkDistinct("node-config-file", c.NodeConfigFiles, maxConfigFiles); err != nil {
		return err
	}
	if c.NodePIDFile != "" && !isAbsolute(c.NodePIDFile) {
		return invalid("node-pid-file", c.NodePIDFile, pathAllowed)
	}
	if !isText(c.NodeProcess) || strings.Contains(c.NodeProcess, "/") {
		return invalid("node-process", c.NodeProcess, processAllowed)
	}
	return nil
}

func isAbsolute(path string) bool { return isText(path) && filepath.IsAbs(path) }

// isText reports whether the text is one line, and not too long. It may be empty.
func isText(text string) bool {
	return len(text) <= messages.MaxTextBytes && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// nodeConfig returns where to read the node's configuration; nil: it is not read.
func (c AgentConfig) nodeConfig() *nodeconfig.Config {
	if !c.CollectConfig {
		return nil
	}
	return &nodeconfig.Config{PIDFile: c.NodePIDFile, Process: c.NodeProcess, Files: c.NodeConfigFiles}
}

// telemetry returns what to record of the host; nil: nothing.
func (c AgentConfig) telemetry() *telemetry.Config {
	if !c.HostTelemetry {
		return nil
	}
	return &telemetry.Config{DataDirs: c.DataDirs, NodePIDFile: c.NodePIDFile, NodeProcess: c.NodeProcess}
}

// kernelEvents returns of which process it is noticed how it ends; nil: of none.
func (c AgentConfig) kernelEvents() *agent.KernelEventsConfig {
	if c.NodePIDFile == "" && c.NodeProcess == "" {
		return nil
	}
	return &agent.KernelEventsConfig{NodePIDFile: c.NodePIDFile, NodeProcess: c.NodeProcess}
}
