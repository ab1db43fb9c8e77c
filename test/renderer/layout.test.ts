import { expect, test } from 'vitest'
import { chromiumPath, launchPages } from '../support/client.ts'
import { unreachable } from './harness/layout.ts'

/** The check that every screen goes through (axe.test.ts) finds what it is for. */
test.skipIf(chromiumPath === undefined)(
  'what is cut off, outside or covered is found; what can be scrolled to is not',
  async () => {
    const browser = await launchPages()
    try {
      const page = await browser.newPage()
      await page.setContent(`<body style="margin:0">
      <div style="overflow:hidden;width:200px"><div style="width:400px"><button style="margin-left:180px;width:80px">Cut</button></div></div>
      <button style="position:fixed;left:290px;top:100px;width:60px">Outside</button>
      <button style="position:fixed;left:0;top:200px;width:60px">Covered</button>
      <div class="lid" style="position:fixed;left:0;top:190px;width:90px;height:60px"></div>
      <div style="overflow:auto;width:200px;height:40px"><div style="width:900px"><button style="margin-left:800px">Scrolled</button></div></div>
      <button>Plain</button></body>`)
      expect(await unreachable(page, { width: 320, height: 400 })).toEqual([
        '320×400: “Cut” is cut off by 60 px in .',
        '320×400: “Outside” lies outside of the window',
        '320×400: “Covered” lies under .lid',
      ])
    } finally {
      await browser.close()
    }
  },
)
