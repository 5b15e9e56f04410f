// Prints results of the cache test suite side by side: node table.mjs [-v] NAME=FILE ...
import fs from 'node:fs'

const suite = new URL('./node_modules/http-cache-tests/', import.meta.url)
const { default: groups } = await import(new URL('tests/index.mjs', suite))
const { default: surrogate } = await import(new URL('tests/surrogate-control.mjs', suite))
const { determineTestResult } = await import(new URL('lib/display.mjs', suite))
const all = [...groups, surrogate]

const wordy = process.argv.includes('-v')
const runs = process.argv.slice(2).filter(arg => arg !== '-v').map(arg => {
  const [name, file] = arg.split(/=(.*)/)
  return { name, results: JSON.parse(fs.readFileSync(file)) }
})

const KINDS = {
  required: 'required: the standard says must',
  optimal: 'optimal: the standard allows it, and it saves a fetch',
  check: 'behaviour that the standard leaves open'
}
const WORDS = {
  '✅': 'passed', '⛔️': 'failed', '⚠️': 'not done', '🔹': 'set-up not possible', '⚪️': 'depends on another', Y: 'yes',
  N: 'no', '-': 'not run', '↻': 'retried', '⁉️': 'harness'
}
const kindOf = test => test.kind ?? 'required'
const tests = all.flatMap(group => group.tests).filter(test => !test.browser_only)
const resultOf = (test, { results }) => determineTestResult(all, test.id, results)[2]

function row (cells) {
  console.log('| ' + cells.join(' | ') + ' |')
}

row(['', ...runs.map(run => run.name)])
row(['---', ...runs.map(() => '---:')])
for (const [kind, title] of Object.entries(KINDS)) {
  const ofKind = tests.filter(test => kindOf(test) === kind)
  row([`**${title}** (${ofKind.length})`, ...runs.map(() => '')])
  for (const [symbol, word] of Object.entries(WORDS)) {
    const counts = runs.map(run => ofKind.filter(test => resultOf(test, run) === symbol).length)
    if (counts.some(count => count > 0)) row([word, ...counts])
  }
}

if (wordy) {
  console.log()
  row(['test', 'kind', ...runs.map(run => run.name)])
  row(['---', '---', ...runs.map(() => '---')])
  for (const test of tests) {
    const words = runs.map(run => WORDS[resultOf(test, run)])
    if (words.some(word => word !== 'passed')) row([test.id, kindOf(test), ...words])
  }
}
