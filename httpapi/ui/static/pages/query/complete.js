// What may come next in an expression of PromQL. Pure: it is told what there is.

// functions are those of PromQL, and its aggregations; they are offered behind the families.
export const functions = ('abs absent absent_over_time avg avg_over_time bottomk ceil changes clamp clamp_max clamp_min count count_over_time count_values day_of_month day_of_week delta deriv exp floor group '
  + 'histogram_avg histogram_count histogram_quantile histogram_sum hour idelta increase irate label_join label_replace last_over_time ln log10 log2 max max_over_time min min_over_time minute month predict_linear '
  + 'present_over_time quantile quantile_over_time rate resets round scalar sgn sort sort_by_label sort_desc sqrt stddev stddev_over_time stdvar sum sum_over_time time timestamp topk vector year').split(' ')
const keywords = 'and bool by group_left group_right ignoring offset on or unless without'.split(' ')

// maxOffered bounds what is offered at once.
const maxOffered = 40

// contextOf says what is written at a place in a text: {kind, word, from, family, label}. kind is name, label, value or
// none; word is what is there of it already, which begins at from.
export function contextOf(text, place) {
  const before = text.slice(0, place)
  const open = before.lastIndexOf('{')
  if (open > before.lastIndexOf('}') && !insideText(before.slice(0, open))) return insideBraces(before, open)
  if (insideText(before)) return { kind: 'none' }
  const grouping = /\b(by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)$/.exec(before)
  if (grouping) {
    const word = /[a-zA-Z0-9_]*$/.exec(before)[0]
    return { kind: 'label', word, from: place - word.length, family: /([a-zA-Z_:][\w:]*)\s*[{[]/.exec(text)?.[1] ?? '', names: true }
  }
  const word = /[a-zA-Z_:][\w:]*$/.exec(before)?.[0] ?? ''
  if (/\[[^\]]*$/.test(before)) return { kind: 'none' }
  return { kind: 'name', word, from: place - word.length }
}

function insideBraces(before, open) {
  const family = /([a-zA-Z_:][\w:]*)\s*$/.exec(before.slice(0, open))?.[1] ?? ''
  const inside = before.slice(open + 1)
  const value = /([a-zA-Z_][\w]*)\s*(=|!=|=~|!~)\s*"([^"]*)$/.exec(inside)
  if (value) return { kind: 'value', word: value[3], from: before.length - value[3].length, family, label: value[1] }
  if (insideText(inside)) return { kind: 'none' }
  const word = /[a-zA-Z_]*[\w]*$/.exec(inside)[0]
  return { kind: 'label', word, from: before.length - word.length, family }
}

// insideText reports whether a quoted text is not ended yet.
function insideText(before) {
  let quote = ''
  for (let i = 0; i < before.length; i++) {
    const one = before[i]
    if (quote !== '' && one === '\\' && quote !== '`') i++
    else if (quote === '' && (one === '"' || one === "'" || one === '`')) quote = one
    else if (one === quote) quote = ''
  }
  return quote !== ''
}

// offersOf returns what may stand there: [{text, about, insert}], the best first. there is {names: [{name, type, help}], labels,
// values}, as far as they are known.
export function offersOf(context, there) {
  switch (context.kind) {
    case 'name': {
      const all = [...there.names.map(one => ({ text: one.name, about: one.help && one.help !== one.name ? `${one.type}: ${one.help}` : one.type, insert: one.name })),
        ...functions.map(name => ({ text: name, about: 'function', insert: `${name}(` })), ...keywords.map(name => ({ text: name, about: 'keyword', insert: name }))]
      return best(all, context.word, 2)
    }
    case 'label':
      return best(there.labels.map(name => ({ text: name, about: 'label', insert: context.names ? name : `${name}="` })), context.word, 0)
    case 'value':
      return best(there.values.map(value => ({ text: value, about: context.label, insert: `${JSON.stringify(value).slice(1, -1)}"` })), context.word, 0)
    default:
      return []
  }
}

// best returns those that have the word in their text, those that begin with it first. A word shorter than least offers
// nothing: everything would be offered at each key.
function best(all, word, least) {
  if (word.length < least) return []
  const looked = word.toLowerCase()
  const rank = text => {
    const low = text.toLowerCase()
    return low.startsWith(looked) ? 0 : low.includes(`_${looked}`) ? 1 : low.includes(looked) ? 2 : 3
  }
  const found = all.map(one => [rank(one.text), one]).filter(([at, one]) => at < 3 && one.text !== word)
  return found.sort(([a, one], [b, other]) => a - b || one.text.length - other.text.length).slice(0, maxOffered).map(([, one]) => one)
}
