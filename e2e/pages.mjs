// Visits every kit page of a running server: accessibility scan in light and dark, reflow at 320 px, target sizes,
// pictures, and the form by keyboard alone.
//
//   node pages.mjs http://127.0.0.1:8080
//
// SCREENSHOTS=folder   keeps pictures
// README_IMAGES=folder writes the two pictures of the README
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { launch, open, overflow, scan, smallTargets } from './browser.mjs'

const base = (process.argv[2] || '').replace(/\/$/, '')
if (!base) {
  console.error('usage: node pages.mjs <baseURL>')
  process.exit(2)
}
const origin = new URL(base).origin
const pictures = process.env.SCREENSHOTS
const readmeImages = process.env.README_IMAGES
const failures = []
const fail = (where, problems) => problems.forEach(problem => failures.push(`${where}: ${problem}`))

async function checkAppearance(browser, names) {
  const looks = [
    { name: 'desktop-light', viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
    { name: 'phone-dark', viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
  ]
  for (const { name: look, ...options } of looks) {
    const { context, page, problems } = await open(browser, origin, options)
    for (const name of names) {
      await page.goto(`${base}/kit/${name}`)
      fail(`${name} ${look}`, await scan(page))
      fail(`${name} ${look}`, await smallTargets(page))
      if (pictures) await page.screenshot({ path: join(pictures, `${name}-${look}.png`), fullPage: true })
      fail(`${name} ${look}`, problems.splice(0))
    }
    await context.close()
  }
}

async function checkReflow(browser, names) {
  const { context, page } = await open(browser, origin, { viewport: { width: 320, height: 640 } })
  for (const name of names) {
    await page.goto(`${base}/kit/${name}`)
    const wide = await overflow(page)
    if (wide) fail(`${name} at 320 px`, [wide])
  }
  await context.close()
}

async function checkForcedColours(browser) {
  const { context, page } = await open(browser, origin, { forcedColors: 'active', viewport: { width: 390, height: 844 } })
  for (const name of ['offered', 'accepted']) {
    await page.goto(`${base}/kit/${name}`)
    fail(`${name} forced colours`, await scan(page))
    if (pictures) await page.screenshot({ path: join(pictures, `${name}-forced-colours.png`), fullPage: true })
  }
  await context.close()
}

const focused = page => page.evaluate(() => document.activeElement?.id || document.activeElement?.className || document.activeElement?.tagName)

async function tabTo(page, id, limit = 30) {
  for (let i = 0; i < limit; i++) {
    if (await focused(page) === id) return true
    await page.keyboard.press('Tab')
  }
  fail('keyboard', [`${id} is not reached with Tab; focus is on ${await focused(page)}`])
  return false
}

async function checkKeyboard(browser) {
  const { context, page, problems } = await open(browser, origin, { viewport: { width: 1280, height: 900 } })
  await page.goto(`${base}/kit/offered`)
  await page.keyboard.press('Tab')
  if (await focused(page) !== 'skip') fail('keyboard', [`the first stop is ${await focused(page)}, not the skip link`])

  // Confirm without the tick: the summary of problems has the focus, and leads to the tick box.
  if (!await tabTo(page, 'plan-1')) return
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  const chosen = await page.locator('input[name=plan]:checked').getAttribute('id')
  if (chosen !== 'plan-3') fail('keyboard', [`arrows chose ${chosen}, not plan-3`])
  const label = (await page.locator('#confirm').innerText()).trim()
  if (label !== 'Pay £900.00 now') fail('keyboard', [`the button says ${JSON.stringify(label)} for a plan with £900.00 today`])
  if (!await tabTo(page, 'method-3-1')) return
  await page.keyboard.press('ArrowDown')
  if (!await tabTo(page, 'confirm')) return
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
  if (await focused(page) !== 'problems') fail('keyboard', [`after an error the focus is on ${await focused(page)}`])
  if (!(await page.title()).startsWith('Error: ')) fail('keyboard', [`the title after an error is ${await page.title()}`])
  const kept = await page.locator('#method-3-2').isChecked() && await page.locator('#plan-3').isChecked()
  if (!kept) fail('keyboard', ['plan and method are not kept after an error'])
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  if (await page.evaluate(() => location.hash) !== '#terms') fail('keyboard', ['the problem does not lead to its field'])

  // Mend it and confirm.
  if (!await tabTo(page, 'terms')) return
  await page.keyboard.press('Space')
  if (!await tabTo(page, 'confirm')) return
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
  const state = await page.locator('main').getAttribute('data-state')
  if (state !== 'accepted') fail('keyboard', [`confirmed by keyboard, the state is ${state}`])
  fail('keyboard', problems)
  await context.close()
}

async function checkWithoutScripts(browser) {
  const { context, page } = await open(browser, origin, { javaScriptEnabled: false, viewport: { width: 390, height: 844 } })
  await page.goto(`${base}/kit/offered`)
  await page.locator('label[for=plan-2]').click()
  await page.locator('label[for=terms]').click({ position: { x: 4, y: 4 } })
  await page.locator('#confirm').click()
  const state = await page.locator('main').getAttribute('data-state')
  if (state !== 'accepted') fail('without scripts', [`state ${state}`])
  await context.close()
}

async function takeReadmeImages(browser) {
  const { context, page } = await open(browser, origin, { viewport: { width: 1200, height: 860 }, colorScheme: 'light' })
  for (const [name, file] of [['offered', 'plan-page.png'], ['accepted', 'plan-accepted.png']]) {
    await page.goto(`${base}/kit/${name}`)
    await page.screenshot({ path: join(readmeImages, file), fullPage: true })
  }
  await context.close()
}

for (const folder of [pictures, readmeImages]) if (folder) mkdirSync(folder, { recursive: true })
const names = await (await fetch(`${base}/kit/`)).json()
const browser = await launch(origin)
try {
  await checkAppearance(browser, names)
  await checkReflow(browser, names)
  await checkForcedColours(browser)
  await checkKeyboard(browser)
  await checkWithoutScripts(browser)
  if (readmeImages) await takeReadmeImages(browser)
} finally {
  await browser.close()
}
if (failures.length > 0) {
  console.error(failures.join('\n'))
  console.error(`${failures.length} failures on ${names.length} pages`)
  process.exit(1)
}
console.log(`${names.length} pages: no accessibility violations, no sideways scroll, keyboard works`)
