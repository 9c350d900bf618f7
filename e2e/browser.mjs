// What every browser test needs: a Chromium that talks to nobody but the server under test, and an accessibility scan.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const axeTags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

export async function launch(origin) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${new URL(origin).hostname}`],
  })
}

// open gives a page whose own origin is the only one it can reach, and `problems`, which fills with what a browser
// would complain about.
export async function open(browser, origin, options = {}) {
  const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options })
  const page = await openTab(context, origin)
  const problems = []
  page.on('pageerror', error => problems.push(`script error: ${error.message}`))
  page.on('console', message => {
    // A page that is rightly a 404 is logged as a failed load of itself.
    if (message.type() === 'error' && !/status of (404|422)/.test(message.text())) problems.push(`console: ${message.text()}`)
  })
  page.on('requestfailed', request => problems.push(`failed: ${request.url()} ${request.failure()?.errorText}`))
  return { context, page, problems }
}

// openTab gives one more page of a context. Other origins (the shop's return addresses) answer with a stub, so that no
// test depends on the network. The debugger's own interception is used because Playwright's routes do not see where a
// redirect leads.
export async function openTab(context, origin) {
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const session = await context.newCDPSession(page)
  session.on('Fetch.requestPaused', ({ requestId, request }) => {
    const answer = new URL(request.url).origin === origin || request.url.startsWith('data:')
      ? session.send('Fetch.continueRequest', { requestId })
      : session.send('Fetch.fulfillRequest', {
        requestId, responseCode: 200, responseHeaders: [{ name: 'Content-Type', value: 'text/html; charset=utf-8' }],
        body: Buffer.from('<!doctype html><title>Shop</title><link rel="icon" href="data:,"><h1>Shop</h1>').toString('base64'),
      })
    answer.catch(() => {}) // the page is gone
  })
  await session.send('Fetch.enable', { patterns: [{ urlPattern: '*' }] })
  return page
}

// scan answers one line per violation. axe comes in through the debugger, as the page's policy allows no script.
export async function scan(page) {
  await page.evaluate(axeSource)
  const result = await page.evaluate(
    tags => globalThis.axe.run(document, { runOnly: { type: 'tag', values: tags }, preload: false, resultTypes: ['violations'] }),
    axeTags)
  return result.violations.map(v =>
    `axe ${v.id}: ${v.help} (${v.nodes.slice(0, 3).map(n => `${n.target.join(' ')} ${n.any.concat(n.all, n.none).map(c => c.message).slice(0, 1)}`).join('; ')})`)
}

// overflow answers which element makes the page scroll sideways, or nothing.
export async function overflow(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth
    if (document.documentElement.scrollWidth <= width) return null
    const wide = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > width + 1).pop()
    return `${document.documentElement.scrollWidth}px wide at ${width}px: ${wide ? wide.outerHTML.slice(0, 120) : 'unknown element'}`
  })
}

// smallTargets answers the controls of a checkout that are less than 44 px in height or width. The target of a radio
// button or tick box is its label or the row that its label covers.
export async function smallTargets(page) {
  return page.evaluate(() => {
    const small = []
    for (const e of document.querySelectorAll('main button, main a.button, main .quiet, main .cancel a, main summary, main input:not([type=hidden])')) {
      if (!e.checkVisibility()) continue
      const box = (e.matches('input') ? e.parentElement : e).getBoundingClientRect()
      if (box.height < 44 || box.width < 44) small.push(`target ${e.id || e.textContent.trim().slice(0, 30)} is ${box.width.toFixed(0)} × ${box.height.toFixed(0)}`)
    }
    return small
  })
}
