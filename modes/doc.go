// Package modes is the program: its command line, the configuration of each mode,
// and the order in which a mode starts and stops its parts.
//
//   - commandline.go, commandline_parse.go, option.go, version.go: from arguments and environment to a running
//     mode and an exit code; config_file.go, config_problem.go: the file of --config, and what is wrong in it
//   - program.go, log.go, signals.go, signals_state.go, reload.go: what a mode is given, how
//     the process logs (see logsink), what signals do, and which files SIGHUP reads again
//   - proxy_config.go, agent_config.go, standalone_config.go: a struct a mode, its
//     flags, and what their values may be; agent_*.go and storage_config.go are parts of the
//     agent's, query_config.go is one of both, and check.go holds what they share
//   - tool.go: commands that print and end; journal_command.go: those that read a journal;
//     inspect.go and export_command.go are theirs
//   - query_command.go, query_run.go: the command that evaluates an expression; query_client.go: by a
//     proxy; query_dir.go, query_journal.go: over a directory
//   - check_command.go, check_mask.go, check_proxy.go, check_rules.go: commands that try out what a process would do;
//     check_config.go and check_config_*.go: what a mode makes of its flags and files
//   - healthcheck_command.go, healthcheck.go: the command that asks whether the program on this machine is ready
//   - shell_command.go: the commands that print completions and the manual page (see clidoc)
//   - view_command.go, view.go: the command that serves incidents of a file or a directory
//   - proxy.go, agent.go, standalone.go: start and stop; mode.go what these share; storage.go: the
//     agent's directory, and its lock
//   - query_api.go: the API of Prometheus, as the HTTP servers of proxy and agent have it
//   - grpc_tls_config.go, grpc_tls.go, grpc_credentials.go: how connections of agents are encrypted, and who
//     may connect; web.go: who may ask over HTTP
//   - servicemanager.go, servicemanager_state.go: what systemd is told of the process
//   - memlimit.go and its file for each system: how much memory there is; process.go: what
//     the process uses
//
// It is the one place that knows every other package, and none imports it but
// package main. Nothing here has an opinion on metrics or sessions.
package modes
