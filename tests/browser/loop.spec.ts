// Closing the loop, as people in four places do it: by mouse and keys, each by their own clock, with time held by the server's.
// At every step the author's page alone says who still owes what.
import { join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { axe, expect, Hearback, here, look, test as base } from './test.ts'
import { Scene, type Place } from './scene.ts'

/** Three in the afternoon in Berlin and Kraków, six in the morning in San Francisco, and Friday already, three in the night, in Auckland. */
const thursday = '2026-11-19T14:00:00Z'

const nadia: Place = ['Nadia Berg', 'Europe/Berlin', 'de-DE']
const kim: Place = ['Kim Tane', 'Pacific/Auckland', 'en-NZ']
const zofia: Place = ['Zofia Nowak', 'Europe/Warsaw', 'pl-PL']
const leo: Place = ['Leo Park', 'America/Los_Angeles', 'en-US']

/** A server for each test, on a Thursday that does not end by itself. */
const test = base.extend<{ held: Hearback }>({
  held: async ({}, use) => {
    const server = await Hearback.start('loop', {}, thursday)
    await use(server)
    await server.stop()
  },
})

interface Ask {
  title: string
  notes?: string
  file?: string
  to: string[]
  back: 'Nothing back' | 'Got it' | 'Say it back'
  /** In working days of theirs, or a time by the author's clock. */
  within?: number
  by?: string
  otherwise?: string
}

/** Writes an update and sends it. Answers its address; ends on its page. */
async function send(page: Page, { title, notes, file, to, back, within, by, otherwise }: Ask): Promise<string> {
  await page.getByRole('link', { name: 'New', exact: true }).click()
  if (file !== undefined) {
    await page.locator('input[type=file]').first().setInputFiles(join(here, '../fixtures', file))
    await expect(page.locator('[data-media]')).toHaveCount(1)
  }
  await page.getByLabel('Title').fill(title)
  if (notes !== undefined) await page.getByLabel('Notes').fill(notes)
  const audience = page.getByRole('combobox', { name: 'Who it is for' })
  for (let chips = await page.locator('.person-chip').count(); chips > 0; chips--) await audience.press('Backspace')
  for (const name of to) {
    await audience.pressSequentially(name.split(' ')[0]!)
    await page.getByRole('option', { name }).click()
  }
  await page.getByRole('radio', { name: back, exact: true }).check()
  if (within !== undefined) await page.getByRole('spinbutton', { name: 'Working days' }).fill(String(within))
  if (by !== undefined) await page.getByLabel('Date and time', { exact: true }).fill(by)
  if (otherwise !== undefined) await page.getByLabel('If I hear nothing by then, I will').fill(otherwise)
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await expect(page.locator('undo-field')).toContainText(`Sent to ${to.length} ${to.length === 1 ? 'person' : 'people'}`)
  return new URL(page.url()).pathname
}

/** The rows of a section of the inbox. */
const rows = (page: Page, section: 'To answer' | 'To hear' | 'Waiting on others') => page.getByRole('region', { name: section }).locator('.entry')

/** The row of an update, wherever it stands. */
const entry = (page: Page, title: string) => page.locator('.entry', { has: page.getByRole('link', { name: title, exact: true }) })

/** What is asked and by when, as the row of the inbox has it. */
async function asks(page: Page, title: string, words: string): Promise<void> {
  await page.goto('/inbox')
  await expect(entry(page, title).locator('.ask')).toHaveText(words)
}

/** What the row of a person on the page of receipts says, between the name and the words they said. */
const receipt = (page: Page, name: string) => page.locator('.receipt', { has: page.locator('.name', { hasText: name }) })

/** Who still owes what, from the author's page alone: the sentence, and the names of each part in their order. */
async function stands(page: Page, update: string, sentence: string, parts: { onMe?: string[]; onThem?: string[]; heard?: string[] }): Promise<void> {
  if (new URL(page.url()).pathname !== `${update}/receipts`) await page.goto(`${update}/receipts`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(sentence)
  const names = (within: Locator) => within.locator('.to-hear strong, .rows .title a, .name')
  await expect(names(page.getByRole('region', { name: 'Waiting on you' }))).toHaveText(parts.onMe ?? [])
  await expect(names(page.getByRole('region', { name: 'Waiting on them' }))).toHaveText(parts.onThem ?? [])
  await expect(names(page.locator('#heard'))).toHaveText(parts.heard ?? [])
}

test('the loop, with three who live elsewhere: one asks, one is corrected, one is late, and all are asked again', async ({ browser, held }) => {
  test.setTimeout(400_000)
  const scene = await Scene.begin(browser, held, [nadia, kim, zofia, leo])
  const [author, inAuckland, inKrakow, inSanFrancisco] = scene.pages as [Page, Page, Page, Page]
  const title = 'The new rota'
  let update = ''

  await test.step('she sends a recording and asks three people to say it back', async () => {
    await author.goto('/inbox')
    update = await send(author, {
      title,
      notes: 'From December the night shift begins at 22:00 and two of us hold it.\n\nThe handover is written, not spoken.',
      file: 'rec-vp9-opus-10s.webm',
      to: [kim[0], zofia[0], leo[0]],
      back: 'Say it back',
      within: 1,
      otherwise: 'keep the old rota',
    })
    await expect(author.getByRole('heading', { name: title })).toBeVisible()
    await look(author, 'loop-sent')
    // By due time, which is each one's own, in her zone; and what time it is where they are.
    await stands(author, update, 'Nobody has answered yet. 3 have not opened it.', { onThem: [zofia[0], leo[0], kim[0]] })
    for (const [name, due, there] of [[zofia[0], 'Fri 17:00', 'Thu 15:00'], [leo[0], 'Sat 02:00', 'Thu 06:00'], [kim[0], 'Mon 05:00', 'Fri 03:00']] as const) {
      await expect(receipt(author, name).getByText(`by ${due}`, { exact: true })).toBeVisible()
      await expect(receipt(author, name).getByText(`${there} there`, { exact: true })).toBeVisible()
    }
    await look(author, 'loop-receipts-sent')
  })

  await test.step('each reads by when, in their own time', async () => {
    await scene.at('2026-11-19T20:30:00Z')
    // It is Friday in Auckland: the end of the next working day is Monday's.
    await asks(inAuckland, title, 'Say it back by Mon 17:00')
    await asks(inKrakow, title, 'Say it back by Fri 17:00')
    await asks(inSanFrancisco, title, 'Say it back by Fri 17:00')
    for (const page of [inAuckland, inKrakow, inSanFrancisco]) {
      await expect(rows(page, 'To answer')).toHaveCount(1)
      await expect(page).toHaveTitle('(1) Inbox · hearback')
      await axe(page)
    }
    await look(inAuckland, 'loop-inbox-asked')
  })

  await test.step('Kim asks at a second, before she says anything back', async () => {
    await entry(inAuckland, title).getByRole('link', { name: 'Open' }).click()
    await expect(inAuckland.locator('.ask-words')).toContainText('Nadia Berg asks you to say it back by Mon 17:00')
    await expect(inAuckland.locator('.answer')).toContainText('If nothing is heard by then, Nadia Berg will: keep the old rota')
    await expect.poll(() => inAuckland.locator('video').evaluate((video: HTMLVideoElement) => video.readyState)).toBeGreaterThan(0)
    await inAuckland.keyboard.press('ArrowRight')
    await inAuckland.keyboard.press('q')
    await inAuckland.keyboard.type('Who covers when both of us are ill?')
    await expect(inAuckland.locator('.anchor-chip')).toContainText('0:05')
    await inAuckland.keyboard.press('Control+Enter')
    await expect(inAuckland.locator('.question-tag')).toHaveText('Question · open')
    await look(inAuckland, 'loop-asked')
    await stands(author, update, 'Nobody has answered yet. 2 have not opened it. 1 question is open.', {
      onMe: ['Who covers when both of us are ill?'],
      onThem: [zofia[0], leo[0], kim[0]],
    })
  })

  await test.step('Zofia says it back', async () => {
    await scene.at('2026-11-20T08:30:00Z')
    await inKrakow.goto('/inbox')
    await inKrakow.keyboard.press('j')
    await inKrakow.keyboard.press('Enter')
    await expect(inKrakow.getByRole('heading', { name: title })).toBeVisible()
    await inKrakow.keyboard.press('a')
    await expect(inKrakow.getByLabel('What will you do, and by when?')).toBeFocused()
    await inKrakow.keyboard.type('From December I begin at 22:00, alone.')
    await look(inKrakow, 'loop-saying-back')
    await inKrakow.getByRole('button', { name: 'Say it back' }).click()
    await expect(inKrakow.locator('.answer')).toContainText('You said it back')
    await inKrakow.goto('/inbox')
    await expect(inKrakow.getByText('Nobody is waiting for you.')).toBeVisible()
    // Her page is open all the while, and learns it by itself.
    await stands(author, update, '1 of 3 heard. 1 has not opened it. 1 question is open.', {
      onMe: [zofia[0], 'Who covers when both of us are ill?'],
      onThem: [leo[0], kim[0]],
    })
    await look(author, 'loop-receipts-to-hear')
    await asks(author, title, '1 person said it back')
  })
})
