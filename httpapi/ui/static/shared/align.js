// Series become the columns that a chart draws: the same times for all, and null where a series has no value.

// align returns [times in seconds, values of the first series, ...]. Times are sorted. Where a series has none of the
// others' times it has null; where all pause for longer than the usual pause, one time without values is added, so that
// a gap is a gap. step is in milliseconds; without one, the usual pause is found.
export function align(series, step) {
  const all = new Set()
  for (const { times } of series) for (const at of times) all.add(at)
  const times = [...all].sort((a, b) => a - b)
  const pause = (step ?? usualPause(times)) * 1.5
  const grid = []
  for (const at of times) {
    const last = grid[grid.length - 1]
    if (last !== undefined && at - last > pause) grid.push(last + (at - last) / 2)
    grid.push(at)
  }
  const index = new Map(grid.map((at, i) => [at, i]))
  const columns = series.map(({ times: own, values }) => {
    const column = new Array(grid.length).fill(null)
    own.forEach((at, i) => {
      const value = values[i]
      column[index.get(at)] = Number.isFinite(value) ? value : null
    })
    return column
  })
  return [grid.map(at => at / 1000), ...columns]
}

function usualPause(times) {
  const pauses = []
  for (let i = 1; i < times.length; i++) pauses.push(times[i] - times[i - 1])
  pauses.sort((a, b) => a - b)
  return pauses[Math.floor(pauses.length / 2)] ?? 0
}

// rangeOf returns the least and the largest of the values, and the last one; null if there is none.
export function rangeOf(values) {
  let low = Infinity
  let high = -Infinity
  let last = null
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue
    low = Math.min(low, value)
    high = Math.max(high, value)
    last = value
  }
  return last === null ? null : { low, high, last }
}
