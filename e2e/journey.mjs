// Plays the buyer on a plan page of a running server and checks where it ends.
//
//   PLAN_URL=http://127.0.0.1:8080/plans/ppln-… EXPECT=accepted node journey.mjs
//
// PLAN_URL        the payment_url of a plan
// EXPECT          state the buyer ends in: accepted, pending_review, customer_action_required, pending_payment, rejected,
//                 or, where there is nothing to confirm: declined, expired, cancelled, order_changed, already_confirmed,
//                 unknown_link
// PLAN_ID         plan to choose; by default the one the page has chosen
// PAYMENT_METHOD  invoice, direct_debit or card; by default what the page has chosen
// RETURN_URL      the shop's address the buyer must land on; it is answered by a stub, not by the network. When it is not
//                 given, the result must be shown on the page itself or the buyer be led away from it.
// DOUBLE          1: confirms twice from two tabs and expects the same end
// SCREENSHOTS     folder for pictures
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { launch, open, openTab, scan } from './browser.mjs'

const { PLAN_URL, EXPECT = 'accepted', PLAN_ID, PAYMENT_METHOD, RETURN_URL, DOUBLE, SCREENSHOTS } = process.env
if (!PLAN_URL) {
  console.error('PLAN_URL is not set')
  process.exit(2)
}
const origin = new URL(PLAN_URL).origin
const confirmable = ['accepted', 'pending_review', 'customer_action_required', 'pending_payment', 'rejected'].includes(EXPECT)
if (SCREENSHOTS) mkdirSync(SCREENSHOTS, { recursive: true })

class Unexpected extends Error {}
const expect = (ok, message) => { if (!ok) throw new Unexpected(message) }

const stateOf = page => page.locator('main').getAttribute('data-state', { timeout: 5000 }).catch(() => null)
const picture = async (page, name) => { if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, `journey-${name}.png`), fullPage: true }) }

async function clean(page, where) {
  const violations = await scan(page)
  expect(violations.length === 0, `${where}: ${violations.join('\n')}`)
}

async function fillIn(page) {
  expect(await stateOf(page) === 'offered', `the page is ${await stateOf(page)}, not offered: ${page.url()}`)
  if (PLAN_ID) await page.locator(`input[name=plan][value="${PLAN_ID}"]`).check({ force: true })
  const plan = await page.locator('input[name=plan]:checked').getAttribute('value')
  if (PAYMENT_METHOD) await page.locator(`input[name="payment_method-${plan}"][value="${PAYMENT_METHOD}"]`).check({ force: true })
  await page.locator('#terms').check()
}

async function confirm(page) {
  await Promise.all([page.waitForNavigation(), page.locator('#confirm').click()])
}

// checkEnd holds the place the buyer ends in against what was expected.
async function checkEnd(page) {
  const url = page.url()
  if (!url.startsWith(origin)) {
    expect(!RETURN_URL || url.startsWith(RETURN_URL), `landed on ${url}, not on ${RETURN_URL}`)
    const said = new URL(url).searchParams.get('status')
    expect(!said || said === EXPECT, `the return address says status=${said}, not ${EXPECT}`)
    return `returned to ${url}`
  }
  const state = await stateOf(page)
  expect(state === EXPECT, `the page is ${state}, not ${EXPECT}`)
  await clean(page, state)
  await picture(page, state)
  if (RETURN_URL) {
    await Promise.all([page.waitForNavigation(), page.locator('a.button').click()])
    expect(page.url().startsWith(RETURN_URL), `the button leads to ${page.url()}, not to ${RETURN_URL}`)
    return `shows ${state}, then returned to ${page.url()}`
  }
  return `shows ${state}`
}

async function buy(browser) {
  const { page, context, problems } = await open(browser, origin, { viewport: { width: 1280, height: 900 } })
  await page.goto(PLAN_URL)
  if (!confirmable) return checkEnd(page)
  await clean(page, 'offered')
  await picture(page, 'offered')

  // First without the tick: the page asks for it and confirms nothing.
  await confirm(page)
  expect(await stateOf(page) === 'offered', 'confirmed without the terms')
  expect(await page.locator('.problems').isVisible(), 'no word about the missing tick')
  await clean(page, 'problems')

  await fillIn(page)
  let second
  if (DOUBLE === '1') {
    second = await openTab(context, origin)
    await second.goto(PLAN_URL)
    await fillIn(second)
  }
  await confirm(page)
  const end = await checkEnd(page)
  if (second) {
    await confirm(second)
    const state = second.url().startsWith(origin) ? await stateOf(second) : 'returned'
    expect([EXPECT, 'already_confirmed', 'returned'].includes(state), `the second confirmation ends in ${state}`)
  }
  expect(problems.length === 0, problems.join('\n'))

  // Coming back to the link shows that the order was decided, and offers nothing to confirm.
  await page.goto(PLAN_URL)
  const again = await stateOf(page)
  expect(again && again !== 'offered', `after confirming, the link shows ${again}`)
  await clean(page, `again: ${again}`)
  return end
}

const browser = await launch(origin)
try {
  console.log(`journey: ${await buy(browser)}`)
} catch (error) {
  console.error(`journey failed: ${error instanceof Unexpected ? error.message : error.stack}`)
  process.exitCode = 1
} finally {
  await browser.close()
}
