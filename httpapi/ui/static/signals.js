// Which signals of a node its page shows, and in which order. This is the one place to change.
//
// expression is PromQL. Before it is asked, {N} becomes matchers of the node (node_id="data-0"), or nothing on the page of
// the cluster, and {W} the window of rates. A signal that the node does not have keeps its place, and
// says so. unit is as in shared/units.js. limit is the
// expression of a value that the signal must not reach: it is drawn as a line across.

// each makes one expression of several, which adds to their series the label of: its name here. Without it series of
// two families could not be told apart once a rate has taken their names.
const each = (of, expressions) => Object.entries(expressions).map(([name, one]) => `label_replace(${one}, "${of}", "${name}", "", "")`).join(' or ')

const rate = family => `sum by (node_id) (rate(${family}{{N}}[{W}]))`
const kinds = ['measure', 'stream', 'trace', 'property']
const ofKinds = (make, all = kinds) => each('kind', Object.fromEntries(all.map(kind => [kind, make(kind)])))

const memoryLimit = 'min by (node_id) (fodc_cgroup_memory_max_bytes{process="node",{N}} or banyandb_memory_protector_cgroup_limit_bytes{{N}} > 0)'
const resident = 'max by (node_id) (process_resident_memory_bytes{{N}})'
const physical = 'mountpoint!~"/(etc|run|sys|proc|dev|boot).*",fstype!~"tmpfs|overlay|squashfs|ramfs"'

export const groups = [
  { title: 'Load', signals: [
    { title: 'Writes', unit: '/s', expression: ofKinds(kind => rate(`banyandb_${kind}_total_written`)) },
    { title: 'Requests by method', unit: '/s', expression: `${each('of', { messages: 'sum by (service, method) (rate(banyandb_liaison_grpc_total_stream_msg_received{{N}}[{W}]))', calls: 'sum by (service, method) (rate(banyandb_liaison_grpc_total_started{{N}}[{W}]))' })} > 0` },
    { title: 'Errors', unit: '/s', expression: each('of', { requests: rate('banyandb_liaison_grpc_total_err'), received: rate('banyandb_liaison_grpc_total_stream_msg_received_err'), sent: rate('banyandb_liaison_grpc_total_stream_msg_sent_err'), 'from other nodes': rate('banyandb_queue_sub_total_err'), 'to other nodes': rate('banyandb_queue_pub_total_err'), 'measure queries': rate('banyandb_measure_query_total_query_errors'), 'stream queries': rate('banyandb_stream_query_total_query_errors') }) },
    { title: 'Time of a request', unit: 'seconds', expression: 'sum by (method) (rate(banyandb_liaison_grpc_total_latency{{N}}[{W}])) / sum by (method) (rate(banyandb_liaison_grpc_total_finished{{N}}[{W}]))' },
    { title: 'Waiting to be written', unit: '', expression: 'sum by (__name__) ({__name__=~"banyandb_.+_pending_data_count",{N}})' },
  ] },
  { title: 'Memory', signals: [
    { title: 'Resident memory', unit: 'bytes', expression: resident, limit: memoryLimit },
    { title: 'Heap in use', unit: 'bytes', expression: 'sum by (__name__) ({__name__=~"go_memstats_heap_inuse_bytes|go_memstats_stack_inuse_bytes|go_memstats_next_gc_bytes",{N}})' },
    { title: 'Goroutines', unit: '', expression: 'max by (node_id) (go_goroutines{{N}})' },
    { title: 'Memory of the host', unit: 'bytes', expression: 'sum by (__name__) ({__name__=~"node_memory_MemAvailable_bytes|node_memory_Cached_bytes|node_memory_MemFree_bytes",{N}})' },
    { title: 'Stalled for want of memory', unit: 'ratio', expression: each('of', { 'all tasks': rate('node_pressure_memory_stalled_seconds_total'), 'some tasks': rate('node_pressure_memory_waiting_seconds_total') }) },
  ] },
  { title: 'CPU', signals: [
    { title: 'CPU of the node', unit: 'ratio', expression: 'max by (node_id) (rate(process_cpu_seconds_total{{N}}[{W}]))' },
    { title: 'CPU of the host by mode', unit: 'ratio', expression: 'sum by (mode) (rate(node_cpu_seconds_total{mode!="idle",{N}}[{W}]))' },
    { title: 'Throttled', unit: 'ratio', expression: 'sum by (process) (rate(fodc_cgroup_cpu_throttled_seconds_total{{N}}[{W}]))' },
    { title: 'Waiting for a CPU', unit: 'ratio', expression: rate('node_pressure_cpu_waiting_seconds_total') },
    { title: 'Load average', unit: '', expression: 'sum by (__name__) ({__name__=~"node_load1|node_load5|node_load15",{N}})' },
  ] },
  { title: 'Disk', signals: [
    { title: 'Stalled for want of IO', unit: 'ratio', expression: each('of', { 'all tasks': rate('node_pressure_io_stalled_seconds_total'), 'some tasks': rate('node_pressure_io_waiting_seconds_total') }) },
    { title: 'Read and written by the node', unit: 'bytes/s', expression: each('of', { read: rate('fodc_node_process_read_bytes_total'), written: rate('fodc_node_process_write_bytes_total') }) },
    { title: 'Disks are busy', unit: 'ratio', expression: 'sum by (device) (rate(node_disk_io_time_seconds_total{{N}}[{W}])) > 0' },
    { title: 'File systems are full', unit: 'ratio', expression: `1 - max by (mountpoint) (node_filesystem_avail_bytes{${physical},{N}}) / max by (mountpoint) (node_filesystem_size_bytes{${physical},{N}} > 0)` },
    { title: 'Parts on disk', unit: '', expression: 'sum by (__name__) ({__name__=~"banyandb_.+_total_file_parts",{N}})' },
    { title: 'Merges', unit: '/s', expression: ofKinds(kind => rate(`banyandb_${kind}_total_merged`)) },
  ] },
  { title: 'Network and process', signals: [
    { title: 'Received and sent by the host', unit: 'bytes/s', expression: each('of', { received: 'sum by (node_id) (rate(node_network_receive_bytes_total{device!~"lo|veth.*",{N}}[{W}]))', sent: 'sum by (node_id) (rate(node_network_transmit_bytes_total{device!~"lo|veth.*",{N}}[{W}]))' }) },
    { title: 'Open files', unit: '', expression: 'max by (node_id) (process_open_fds{{N}})', limit: 'max by (node_id) (process_max_fds{{N}})' },
    { title: 'Started', unit: 'time', expression: 'max by (node_id) (process_start_time_seconds{{N}})' },
  ] },
  { title: 'Recording', signals: [
    { title: 'Endpoints that answer', unit: '', expression: 'max by (endpoint) (fodc_node_up{{N}})' },
    { title: 'Time of a scrape', unit: 'seconds', expression: 'max by (endpoint) (fodc_node_scrape_duration_seconds{{N}})' },
    { title: 'CPU of the agent', unit: 'ratio', expression: 'max by (node_id) (rate(fodc_agent_process_cpu_seconds_total{{N}}[{W}]))' },
    { title: 'Memory of the agent', unit: 'bytes', expression: 'max by (node_id) (fodc_agent_process_resident_memory_bytes{{N}})' },
  ] },
]

// overview is what the table of the cluster shows of each node: one value by node_id.
export const overview = [
  { key: 'writes', title: 'Writes', unit: '/s', line: true, expression: `sum by (node_id) (${ofKinds(kind => rate(`banyandb_${kind}_total_written`))})`, about: 'data points that are written in a second' },
  { key: 'cpu', title: 'CPU', unit: 'ratio', line: true, expression: 'max by (node_id) (rate(process_cpu_seconds_total[{W}]))', about: 'CPUs that the node keeps busy: 100 % is one' },
  { key: 'memory', title: 'Memory of limit', unit: 'ratio', warn: 0.75, bytes: 'resident', expression: `${resident} / ${memoryLimit}`, about: 'resident memory of the node, of the limit of its control group' },
  { key: 'resident', unit: 'bytes', expression: resident },
  { key: 'io', title: 'IO stall', unit: 'ratio', warn: 0.4, expression: 'max by (node_id) (rate(node_pressure_io_stalled_seconds_total[{W}]))', about: 'share of the time in which all tasks of the host waited for a disk' },
  { key: 'disk', title: 'Disk', unit: 'ratio', warn: 0.85, expression: `1 - min by (node_id) (node_filesystem_avail_bytes{${physical}} / (node_filesystem_size_bytes{${physical}} > 0))`, about: 'how full the fullest file system is' },
  { key: 'targets', unit: '', expression: 'count by (node_id) (fodc_node_up)' },
  { key: 'up', unit: '', expression: 'sum by (node_id) (fodc_node_up)' },
  { key: 'series', unit: '', expression: 'max by (node_id) (fodc_agent_window_series)' },
  { key: 'window', unit: 'seconds', expression: 'max by (node_id) (time() - fodc_journal_oldest_timestamp_seconds or fodc_agent_window_span_seconds)' },
]

// ask returns an expression as it is asked: matchers of a node, or '', and the window of rates.
export const ask = (expression, matchers, window) => expression.replaceAll('{N}', matchers).replaceAll('{W}', window).replaceAll(',}', '}').replaceAll('{}', '')

// askAll returns one expression for several signals, which adds to each series the label signal: its key.
export const askAll = (signals, matchers, window) => ask(each('signal', Object.fromEntries(signals.map(one => [one.key, one.expression]))), matchers, window)
