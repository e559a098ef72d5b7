// Recording in the browser, with its own tab for a screen and a made-up camera and microphone.
import type { Page } from '@playwright/test'
import { expect, look, pictures, test } from './test.ts'
import { studio } from './studio.ts'

const recorder = (page: Page) => page.locator('screen-recorder')
const time = (page: Page) => page.locator('[data-part="time"]')
/** Waits until that many seconds are recorded, or more. */
const recorded = (page: Page, seconds: number) => expect.poll(async () => Number((await time(page).textContent())?.split(':')[1]), { timeout: 30_000 }).toBeGreaterThanOrEqual(seconds)

/** Pictures from the top: the bar would else stand wherever the page was scrolled to. */
async function shown(page: Page, name: string): Promise<void> {
  await page.evaluate(() => scrollTo(0, 0))
  await look(page, name)
}

/** From the choice to a recording that runs. */
async function record(page: Page, source = 'Screen'): Promise<void> {
  await page.getByRole('button', { name: /^Record/ }).click()
  await recorder(page).getByRole('radio', { name: source, exact: true }).check()
  await recorder(page).getByRole('button', { name: 'Record', exact: true }).click()
  await expect(recorder(page)).toHaveAttribute('data-state', 'recording', { timeout: 30_000 })
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
  await shown(page, 'recorder-set')

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
  await expect(recorder(page)).toHaveAttribute('data-state', 'recording', { timeout: 30_000 })
  await expect(page).toHaveURL(/\/updates\/[0-9a-z]+\/edit/)
  await expect(page).toHaveTitle(/^● 0:0/)
  await recorded(page, 2)
  expect(await page.locator('[data-part="preview"]').evaluate((video: HTMLVideoElement) => [video.videoWidth > 600, video.videoHeight > 400])).toEqual([true, true])
  await shown(page, 'recorder-recording')
  await page.keyboard.press('Alt+Shift+P')
  await expect(recorder(page)).toHaveAttribute('data-state', 'paused')
  const held = await time(page).textContent()
  await shown(page, 'recorder-paused')
  await expect(time(page)).toHaveText(held!)
  await page.getByRole('button', { name: 'Go on' }).click()
  await expect(recorder(page)).toHaveAttribute('data-state', 'recording', { timeout: 30_000 })
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
  await shown(page, 'recorder-stopped')

  await page.locator('people-field input:visible').fill(ben!.email)
  await page.locator('people-field input:visible').press('Control+Enter')
  await expect(page.getByRole('heading', { name: /^Recording, / })).toBeVisible()
  await expect(page.locator('undo-field')).toContainText('Sent to 1 person')
  await close()
})

test('Send while it records stops, finishes and sends; so does "Send it when I stop"', async ({ playwright, hearback }) => {
  test.setTimeout(120_000)
  const [rita, rob] = await hearback.people('Rita', 'Rob')
  const { page, close } = await studio(playwright, hearback, rita!)
  await page.getByLabel('Title').fill('While it runs')
  await page.locator('people-field input:visible').fill(rob!.email)
  await page.locator('people-field input:visible').press('Enter')
  await record(page)
  await recorded(page, 2)
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'While it runs' })).toBeVisible()
  await expect(page.locator('undo-field')).toContainText('Sent to 1 person')
  await expect.poll(() => page.locator('video').evaluate((video: HTMLVideoElement) => video.readyState)).toBeGreaterThan(0)

  // Who it is for is as last time, and what was recorded as well.
  await page.goto('/updates/new')
  await page.getByRole('button', { name: /^Record/ }).click()
  await page.getByLabel('Send it when I stop').check()
  await recorder(page).getByRole('button', { name: 'Record', exact: true }).click()
  await recorded(page, 1)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(page.getByRole('heading', { name: /^Recording, / })).toBeVisible()
  await expect(page.locator('undo-field')).toContainText('The link is copied')
  await close()
})

test('restart asks, leaving asks, and the end of sharing or of the time ends it with all that was recorded', async ({ playwright, hearback }) => {
  test.setTimeout(180_000)
  const [ruth] = await hearback.people('Ruth')
  const { page, close } = await studio(playwright, hearback, ruth!)
  await record(page)
  await recorded(page, 3)
  await page.getByRole('button', { name: 'Restart' }).click()
  await expect(page.getByRole('dialog')).toContainText(/Throw away 0:0\d/)
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await expect(recorder(page)).toHaveAttribute('data-state', 'paused')
  await page.getByRole('button', { name: 'Restart' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Begin again' }).click()
  await expect(recorder(page)).toHaveAttribute('data-state', 'counting')
  await expect(recorder(page)).toHaveAttribute('data-state', 'recording', { timeout: 30_000 })
  await recorded(page, 1)

  // Another page is one press away: it is asked for, and the recording is brought in before.
  await page.getByRole('link', { name: 'Library' }).click()
  await expect(page.getByRole('dialog')).toContainText('You are recording')
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await expect(recorder(page)).toHaveAttribute('data-state', 'recording', { timeout: 30_000 })
  await page.getByRole('link', { name: 'Library' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Stop and leave' }).click()
  await expect(page).toHaveURL(/\/updates$/)
  await page.goBack()
  await page.reload()
  await expect(page.locator('.media-item video')).toHaveCount(1)

  // "Stop sharing" of the browser's own.
  await page.evaluate(() => {
    const media = navigator.mediaDevices
    const real = media.getDisplayMedia.bind(media)
    media.getDisplayMedia = async (options) => {
      const stream = await real(options)
      Object.assign(window, { shared: stream })
      return stream
    }
  })
  await record(page)
  await recorded(page, 1)
  await page.evaluate(() => {
    const track = (window as unknown as { shared: MediaStream }).shared.getVideoTracks()[0]!
    track.stop()
    track.dispatchEvent(new Event('ended'))
  })
  await expect(page.getByText('The screen is no longer shared, and the recording ended there. All of it is kept.')).toBeVisible()
  await expect(page.locator('.media-item video')).toHaveCount(2)

  // The limit says so before, and then ends it.
  await recorder(page).evaluate((element) => { element.dataset['limit'] = '8' })
  await record(page)
  await expect(recorder(page).getByText('It stops by itself in 0:01.')).toBeVisible()
  await expect(page.locator('.media-item video')).toHaveCount(3)
  await close()
})

test('a refusal, a silence and a missing camera are said in words', async ({ playwright, hearback }) => {
  test.setTimeout(120_000)
  const [rene] = await hearback.people('Rene')
  const silent = await studio(playwright, hearback, rene!, { refuse: true, tone: 0 })
  const { page } = silent
  await page.getByRole('button', { name: 'Screenshot' }).click()
  await expect(page.getByText('No screen was shared, so there is no picture.')).toBeVisible()
  await page.getByRole('button', { name: /^Record/ }).click()
  await expect(page.getByText('We hear nothing. Speak, or choose another microphone.')).toBeVisible()
  await recorder(page).getByRole('button', { name: 'Record', exact: true }).click()
  await expect(page.getByText('No screen was shared, so nothing is recorded.')).toBeVisible()
  await expect(recorder(page)).toHaveAttribute('data-state', 'set')
  await shown(page, 'recorder-problem')
  await silent.close()

  const refused = await studio(playwright, hearback, rene!, { permissions: [] })
  await refused.page.getByRole('button', { name: /^Record/ }).click()
  await expect(refused.page.getByText('This page may not use the microphone.')).toBeVisible()
  await expect(refused.page.getByLabel('Microphone', { exact: true })).toHaveValue('none')
  await expect(refused.page.getByText('Nothing of what you say is recorded.')).toBeVisible()
  // It goes on without.
  await recorder(refused.page).getByRole('button', { name: 'Record', exact: true }).click()
  await recorded(refused.page, 1)
  await refused.page.getByRole('button', { name: 'Stop' }).click()
  await expect(refused.page.locator('.media-item video')).toBeVisible()
  await refused.close()
})

test('a microphone and a camera that are unplugged do not end the recording of a screen', async ({ playwright, hearback }) => {
  const [rolf] = await hearback.people('Rolf')
  const { page, close } = await studio(playwright, hearback, rolf!)
  const unplug = await handles(page)
  await record(page, 'Screen and camera')
  await unplug('audio')
  await expect(page.getByText(/The microphone was unplugged. “.*” is used now./)).toBeVisible()
  await unplug('video')
  await expect(page.getByText('The camera was unplugged. The screen is recorded on without it.')).toBeVisible()
  await recorded(page, 3)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(page.locator('.media-item video')).toHaveCount(1)

  // With the camera alone there is nothing left to record.
  await record(page, 'Camera')
  await recorded(page, 2)
  await unplug('video')
  await expect(page.getByText('The camera was unplugged, and the recording ended there. All of it is kept.')).toBeVisible()
  await expect(page.locator('.media-item video')).toHaveCount(2)
  await close()
})

/** The tracks that the page was given are in `made`, so that they can be unplugged. */
async function handles(page: Page): Promise<(kind: string) => Promise<void>> {
  await page.evaluate(() => {
    const media = navigator.mediaDevices
    const made: [string, MediaStreamTrack][] = []
    Object.assign(window, { made })
    const [camera, screen] = [media.getUserMedia.bind(media), media.getDisplayMedia.bind(media)]
    media.getUserMedia = async (constraints) => {
      const stream = await camera(constraints)
      for (const track of stream.getTracks()) made.push([track.kind, track])
      return stream
    }
    media.getDisplayMedia = async (options) => {
      const stream = await screen(options)
      for (const track of stream.getVideoTracks()) made.push(['screen', track])
      return stream
    }
  })
  return (kind) => page.evaluate((kind) => {
    for (const [what, track] of (window as unknown as { made: [string, MediaStreamTrack][] }).made) {
      if (what !== kind || track.readyState !== 'live') continue
      track.stop()
      track.dispatchEvent(new Event('ended'))
    }
  }, kind)
}

test('what ends or is called off before it records leaves nothing, and the next one records', async ({ playwright, hearback }) => {
  test.setTimeout(180_000)
  const [roma] = await hearback.people('Roma')
  const { page, close } = await studio(playwright, hearback, roma!)
  const end = await handles(page)
  const press = () => recorder(page).getByRole('button', { name: 'Record', exact: true }).click()
  const state = (name: string) => expect(recorder(page)).toHaveAttribute('data-state', name, { timeout: 30_000 })
  await page.getByRole('button', { name: /^Record/ }).click()
  await recorder(page).getByRole('radio', { name: 'Camera', exact: true }).check()
  await press()
  await state('counting')
  await end('video')
  await state('set')
  await expect(page.getByText(/The camera was unplugged before it recorded. “.*” is used now. Press Record again./)).toBeVisible()
  await expect(page).toHaveURL(/\/updates\/new$/)
  await expect(page.getByLabel('Title')).toHaveValue('')

  await recorder(page).getByRole('radio', { name: 'Screen', exact: true }).check()
  await press()
  await state('counting')
  await end('screen')
  await state('set')
  await expect(page.getByText('The screen is no longer shared, so nothing is recorded. Press Record again.')).toBeVisible()

  // The server takes its time: one can still call it off, and what fails then is none of the next one's business.
  let answer!: () => void
  const slow = new Promise<void>((resolve) => (answer = resolve))
  await page.route('**/uploads', async (route) => {
    await slow
    await route.fulfill({ status: 503, body: '' })
  }, { times: 1 })
  await press()
  await expect(page.locator('[data-part="number"]')).toHaveText('…')
  await page.keyboard.press('Escape')
  await state('set')
  await press()
  await state('counting')
  answer()
  await state('recording')
  await recorded(page, 1)

  // Its end comes while one is asked whether to throw it away.
  await page.getByRole('button', { name: 'Restart' }).click()
  await end('screen')
  await expect(page.getByText('The screen is no longer shared, and the recording ended there. All of it is kept.')).toBeVisible()
  await page.getByRole('dialog').getByRole('button', { name: 'Begin again' }).click()
  await expect(page.locator('.media-item video')).toHaveCount(1)
  await state('idle')

  // Back in the history while it counts: the upload goes again.
  await record(page, 'Camera')
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(page.locator('.media-item video')).toHaveCount(2)
  await page.getByRole('link', { name: 'Library' }).click()
  await expect(page).toHaveURL(/\/updates$/)
  await page.getByRole('link', { name: /^New/ }).first().click()
  await page.getByRole('button', { name: /^Record/ }).click()
  await press()
  await state('counting')
  await expect(page).toHaveURL(/\/edit$/)
  await page.goBack()
  await expect(page).toHaveURL(/\/updates$/)
  await expect.poll(async () => ((await (await page.request.get('/uploads', { headers: { accept: 'application/json' } })).json()) as { items: unknown[] }).items.length).toBe(0)
  await close()
})

test('what the server does not take is kept, and the recorder is free again; too large a recording ends before', async ({ playwright, hearback }) => {
  test.setTimeout(120_000)
  const [rhys] = await hearback.people('Rhys')
  const { page, close } = await studio(playwright, hearback, rhys!)
  await page.route('**/uploads/*', (route) => (route.request().method() === 'PATCH' ? route.fulfill({ status: 413, contentType: 'application/problem+json', body: JSON.stringify({ title: 'Too large', detail: 'This is larger than the server takes.' }) }) : route.fallback()))
  await record(page, 'Camera')
  await expect(recorder(page)).toHaveAttribute('data-state', 'idle', { timeout: 30_000 })
  await expect(recorder(page).getByRole('alert').getByText('This is larger than the server takes.')).toBeVisible()
  await expect(page.locator('kept-recordings li')).toHaveCount(1)
  await page.unroute('**/uploads/*')

  await recorder(page).evaluate((element) => Object.assign(element.dataset, { size: '1000', sizeWords: '1 kB' }))
  await page.getByRole('button', { name: /^Record/ }).click()
  await recorder(page).getByRole('button', { name: 'Record', exact: true }).click()
  await expect(page.getByText('A recording is at most 1 kB large here, and the recording ended there. All of it is kept.')).toBeVisible({ timeout: 30_000 })
  await expect(page.locator('.media-item video')).toHaveCount(1)
  await close()
})

test('a camera that cannot be put on the screen in one way is put there in another, and else it ends in words', async ({ playwright, hearback }) => {
  test.setTimeout(120_000)
  const [rika] = await hearback.people('Rika')
  const { page, close } = await studio(playwright, hearback, rika!)
  /** Everything that the compositor's worker does runs after this. */
  const first = (code: string) => page.route('**/compositor-worker*', async (route) => {
    const answer = await route.fetch()
    await route.fulfill({ response: answer, body: `${code}\n${await answer.text()}` })
  }, { times: 1 })
  await first('VideoFrame.prototype.copyTo = () => Promise.reject(new Error("cannot be copied"))')
  await record(page, 'Screen and camera')
  await expect.poll(() => page.locator('[data-part="preview"]').evaluate(green), { timeout: 30_000 }).toBe(true)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(page.locator('.media-item video')).toHaveCount(1)

  await first('VideoFrame.prototype.copyTo = () => Promise.reject(new Error("cannot be copied")); OffscreenCanvasRenderingContext2D.prototype.drawImage = () => { throw new Error("cannot be drawn") }')
  await page.getByRole('button', { name: /^Record/ }).click()
  await recorder(page).getByRole('button', { name: 'Record', exact: true }).click()
  await expect(page.getByText(/^The camera could not be put on the screen/)).toBeVisible()
  await expect(recorder(page)).toHaveAttribute('data-state', 'set')
  await close()
})

test('a browser that cannot read frames composes in the page', async ({ playwright, hearback }) => {
  const [rune] = await hearback.people('Rune')
  const { page, context, close } = await studio(playwright, hearback, rune!)
  await context.addInitScript(() => {
    for (const name of ['MediaStreamTrackProcessor', 'MediaStreamTrackGenerator']) delete (window as unknown as Record<string, unknown>)[name]
  })
  await page.reload()
  await record(page, 'Screen and camera')
  await recorded(page, 2)
  await expect.poll(() => page.locator('[data-part="preview"]').evaluate(green), { timeout: 30_000 }).toBe(true)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(page.locator('.media-item video')).toBeVisible()
  await close()
})

/** Whether the picture shows the green of Chromium's made-up camera where the bubble is at first. */
function green(video: HTMLVideoElement | SVGElement): boolean {
  const { videoWidth, videoHeight } = video as HTMLVideoElement
  if (!videoWidth) return false
  const canvas = document.createElement('canvas')
  canvas.width = videoWidth
  canvas.height = videoHeight
  const context = canvas.getContext('2d')!
  context.drawImage(video as HTMLVideoElement, 0, 0)
  const [red, full] = context.getImageData(Math.round(0.1 * videoWidth), Math.round(0.74 * videoHeight), 1, 1).data
  return full! > 90 && red! < 90
}

test('a screenshot is one frame of what is shared', async ({ playwright, hearback }) => {
  const [rhea] = await hearback.people('Rhea')
  const { page, close } = await studio(playwright, hearback, rhea!)
  await page.getByRole('button', { name: 'Screenshot' }).click()
  await page.getByRole('dialog', { name: /^Mark up Screenshot/ }).getByRole('button', { name: 'Add', exact: true }).click()
  await expect(page.locator('.media-item[data-state="ready"]')).toBeVisible()
  await expect(page.locator('.media-item .name')).toHaveText(/^Screenshot \d+ \w+ \d\d\.\d\d\.png$/)
  await expect(page.getByLabel('Title')).toHaveValue(/^Screenshot, /)
  await close()
})

test('over plain http, and in a browser that cannot record, the page says so and takes files', async ({ playwright, hearback }) => {
  test.setTimeout(120_000)
  const [remy] = await hearback.people('Remy')
  const port = new URL(hearback.url).port
  const plain = await studio(playwright, hearback, remy!, { permissions: [], args: ['--host-resolver-rules=MAP hearback.test 127.0.0.1'] }, undefined, `http://hearback.test:${port}`)
  await expect(plain.page.getByText('Browsers record only over https. Ask your admin for that address. Upload works here.')).toBeVisible()
  await expect(plain.page.getByRole('button', { name: /^Record/ })).toBeHidden()
  await expect(plain.page.getByRole('button', { name: /^Upload/ })).toBeVisible()
  await look(plain.page, 'new-http')
  await plain.close()

  const phone = await studio(playwright, hearback, remy!)
  await phone.context.addInitScript(() => {
    delete (MediaDevices.prototype as unknown as Record<string, unknown>)['getDisplayMedia']
    delete (navigator.mediaDevices as unknown as Record<string, unknown>)['getDisplayMedia']
    const real = window.matchMedia.bind(window)
    window.matchMedia = (query) => (query === '(pointer: coarse)' ? ({ matches: true, addEventListener() {} } as unknown as MediaQueryList) : real(query))
  })
  await phone.page.reload()
  await expect(phone.page.getByText('A phone’s browser cannot record its screen.')).toBeVisible()
  const film = phone.page.waitForEvent('filechooser')
  await phone.page.getByRole('button', { name: /^Camera/ }).click()
  expect(await (await film).element().getAttribute('capture')).toBe('environment')
  await pictures(phone.page, 'new-phone')
  await phone.close()
})
