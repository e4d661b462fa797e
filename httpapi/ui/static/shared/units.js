// Values that read well: the unit of a metric follows from its name and # UNIT, by the conventions of Prometheus.

const byEnd = [
  [/_bytes(_total)?$/, 'bytes'], [/_seconds(_total)?$/, 'seconds'], [/_(ratio|percent)$/, 'ratio'],
  [/_timestamp(_seconds)?$/, 'time'], [/_celsius$/, '°C'], [/_volts$/, 'V'], [/_hertz$/, 'Hz'],
]

// unitOf returns the unit of a family's values: bytes, seconds, ratio, time, another text, or empty.
export function unitOf(name, said = '') {
  if (/_timestamp_seconds$|_time_seconds$/.test(name) && /(start|boot|timestamp|last)/.test(name)) return 'time'
  if (said) return said
  for (const [end, unit] of byEnd) if (end.test(name)) return unit
  return ''
}

// rateOf returns the unit of the rate of a counter.
export const rateOf = unit => ({ bytes: 'bytes/s', seconds: 'ratio', '': '/s' })[unit] ?? unit + '/s'

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
const decimal = ['', 'k', 'M', 'G', 'T', 'P']

function scaled(value, step, names, gap) {
  let at = 0
  let size = Math.abs(value)
  while (size >= step && at < names.length - 1) {
    size /= step
    at++
  }
  // 999.6 must not become 1000: the next name is due.
  if (at < names.length - 1 && Number(size.toPrecision(3)) >= step) {
    size /= step
    at++
  }
  return (value < 0 ? '−' : '') + digits(size) + (names[at] ? gap + names[at] : '')
}

// digits returns three significant digits, and no zeros behind the point that say nothing.
function digits(size) {
  if (size === 0) return '0'
  if (size >= 100) return String(Math.round(size))
  if (size < 0.001) return size.toExponential(1).replace('e-', '·10⁻').replace(/\d+$/, n => [...n].map(d => '⁰¹²³⁴⁵⁶⁷⁸⁹'[d]).join(''))
  return String(Number(size.toPrecision(3)))
}

// formatDuration returns seconds as people say them: 1.5 ms, 12 s, 3 min 20 s, 2 h 5 min, 3 d 4 h.
export function formatDuration(seconds) {
  const sign = seconds < 0 ? '−' : ''
  const s = Math.abs(seconds)
  if (!Number.isFinite(s)) return Number.isNaN(s) ? 'NaN' : `${sign}∞`
  if (s === 0) return '0 s'
  if (s < 1e-3) return sign + digits(s * 1e6) + ' µs'
  if (s < 1) return sign + digits(s * 1e3) + ' ms'
  if (s < 60) return sign + digits(s) + ' s'
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']]
  const first = parts.findIndex(([size]) => s >= size)
  const [size, name] = parts[first]
  const whole = Math.floor(s / size)
  const [nextSize, nextName] = parts[first + 1] ?? [1, 's']
  const rest = Math.floor((s - whole * size) / nextSize)
  return sign + `${whole} ${name}` + (rest > 0 && whole < 100 ? ` ${rest} ${nextName}` : '')
}

// formatValue returns a value with its unit.
export function formatValue(value, unit = '') {
  if (value === null || value === undefined) return '–'
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  switch (unit) {
    case 'bytes': return scaled(value, 1024, binary, ' ')
    case 'bytes/s': return scaled(value, 1024, binary, ' ') + '/s'
    case 'seconds': return formatDuration(value)
    case 'ratio': return digitsSigned(value * 100) + ' %'
    case 'time': return new Date(value * 1000).toISOString().replace('T', ' ').replace(/\.\d+Z$/, ' UTC')
    case '': return scaled(value, 1000, decimal, ' ')
    case '/s': return scaled(value, 1000, decimal, ' ') + '/s'
    default: return scaled(value, 1000, decimal, ' ') + ' ' + unit
  }
}

const digitsSigned = value => (value < 0 ? '−' : '') + (Math.abs(value) < 0.1 && value !== 0 ? Number(Math.abs(value).toPrecision(1)) : digits(Math.abs(value)))

// parseValue reads a value of the API of Prometheus, where +Inf, -Inf and NaN are texts.
export function parseValue(text) {
  if (text === '+Inf') return Infinity
  if (text === '-Inf') return -Infinity
  return Number(text)
}

export const formatCount = n => n.toLocaleString('en')
