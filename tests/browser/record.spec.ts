// Recording in the browser, with its own tab for a screen and a made-up camera and microphone.
import type { Page } from '@playwright/test'
import { expect, look, test } from './test.ts'
import { studio } from './studio.ts'

const recorder = (page: Page) => page.locator('screen-recorder')
const time = (page: Page) => page.locator('[data-part="time"]')

/** From the choice to a recording that runs. */
async function record(page: Page, source = 'Screen'): Promise<void> {
  await page.getByRole('button', { name: /^Record/ }).click()
  await recorder(page).getByLabel(source, { exact: true }).check()
  await recorder(page).getByRole('button', { name: 'Record', exact: true }).click()
  await expect(recorder(page)).toHaveAttribute('data-state', 'recording')
}

test('records a tab with the camera in a bubble, pauses, stops, and plays where it stands', async ({ playwright, hearback }) => {
  test.setTimeout(180_000)
  const [rosa, ben] = await hearback.people('Rosa', 'Ben of Rosa')
  const { page, close } = await studio(playwright, hearback, rosa!)
  await look(page, 'new')
  await page.getByRole('button', { name: /^Record/ }).click()
  await recorder(page).getByLabel('Screen and camera').check()
  await expect(page.getByText('We hear you.')).toBeVisible()
  await expect.poll(() => page.locator('.heard-line meter').evaluate((meter: HTMLMeterElement) => meter.value)).toBeGreaterThan(0.1)
  const bubble = page.locator('.bubble')
  await expect(bubble).toBeVisible()
  await look(page, 'recorder-set')

  // Moved by keys and by hand, and where it was left next time.
  const place = () => bubble.evaluate((element) => [element.style.left, element.style.top, element.style.height].map(parseFloat))
  const [x, y, size] = await place()
  await bubble.press('ArrowRight')
  await bubble.press('ArrowUp')
  await bubble.press('+')
  const [x1, y1, size1] = await place()
  expect([x1! > x!, y1! < y!, size1! > size!]).toEqual([true, true, true])
  const box = (await bubble.boundingBox())!
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width / 2 + 120, box.y + box.height / 2 - 60, { steps: 4 })
  await page.mouse.up()
  expect((await place())[0]).toBeGreaterThan(x1! + 5)

  await recorder(page).getByRole('button', { name: 'Record', exact: true }).click()
  await expect(page.locator('[data-part="count"]')).toBeVisible()
  await expect(recorder(page)).toHaveAttribute('data-state', 'recording')
  await expect(page).toHaveURL(/\/updates\/[0-9a-z]+\/edit/)
  await expect(page).toHaveTitle(/^● 0:0/)
  await expect(time(page)).toHaveText('0:02')
  await look(page, 'recorder-recording')
  await page.keyboard.press('Alt+Shift+P')
  await expect(recorder(page)).toHaveAttribute('data-state', 'paused')
  const held = await time(page).textContent()
  await look(page, 'recorder-paused')
  await expect(time(page)).toHaveText(held!)
  await page.getByRole('button', { name: 'Go on' }).click()
  await expect(recorder(page)).toHaveAttribute('data-state', 'recording')
  await page.getByLabel('Notes').fill('Typed meanwhile.')
  await page.getByLabel('Title').focus()
  await page.locator('h1').click()
  await page.keyboard.press('Alt+Shift+S')

  const video = page.locator('.media-item video')
  await expect(video).toBeVisible()
  await expect.poll(() => video.evaluate((element: HTMLVideoElement) => element.readyState)).toBeGreaterThan(0)
  await expect(page.getByLabel('Title')).toHaveValue(/^Recording, \d+ \w+ \d\d:\d\d$/)
  await expect(page.getByLabel('Title')).toBeFocused()
  expect(await page.evaluate(() => getSelection()?.toString())).toMatch(/^Recording, /)
  await expect(page).not.toHaveTitle(/●/)
  await expect(page.locator('.media-item [data-length]')).toContainText(/0:\d\d/)
  await look(page, 'recorder-stopped')

  await page.locator('people-field input:visible').fill(ben!.email)
  await page.locator('people-field input:visible').press('Control+Enter')
  await expect(page.getByRole('heading', { name: /^Recording, / })).toBeVisible()
  await expect(page.locator('undo-field')).toContainText('Sent to 1 person')
  await close()
})

export { record }
