import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { addGroup, memberOf, notify, say } from '../support/fake-group-commands.ts';
import type { FakeProfile } from '../support/fake-profile.ts';
import { NARROW, NO_BROWSER, until, usePage, WIDE } from '../support/page.ts';
import { people } from '../support/picture-people.ts';

/** Words on the ground they stand on, by the names of the colours in `tokens.css`. */
const PAIRS: readonly (readonly [words: string, grounds: readonly string[]])[] = [
  ['ink', ['page', 'side', 'raised', 'hover', 'other', 'accent-soft', 'danger-soft']],
  ['ink-soft', ['page', 'side', 'raised', 'hover', 'other', 'accent-soft']],
  ['accent', ['page', 'side', 'raised', 'accent-soft']],
  ['good', ['side']],
  ['warn', ['page', 'side', 'warn-soft']],
  ['danger', ['side', 'raised', 'danger-soft']],
  ...Array.from({ length: 6 }, (_, i) => [`person-${i}`, ['other', `person-${i}-soft`]] as const),
  ['on-accent', ['accent-fill', 'accent-fill-hover', 'danger-fill']],
  ['own-ink', ['own']],
  ['own-soft', ['own']],
];

describe('page: looks', { skip: NO_BROWSER }, () => {
  const open = usePage();

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`${colorScheme}: all words have a contrast of 4.5 or more`, async t => {
      const { page } = await open(t, undefined, { colorScheme });
      for (const [words, grounds] of PAIRS) {
        for (const ground of grounds) {
          const [a, b] = [await colour(page, words), await colour(page, ground)];
          const ratio = contrast(a, b);
          assert.ok(ratio >= 4.5, `${words} on ${ground}: ${ratio.toFixed(2)}`);
        }
      }
    });
  }

  test('the chosen theme wins over the system, and survives a reload', async t => {
    const { core, page, faults } = await open(t, undefined, { colorScheme: 'light' });
    const before = await colour(page, 'page');
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('radio', { name: 'Dark' }).check();
    await until(page, () => core.profile.settings.theme === 'dark');
    const dark = page.locator('html[data-theme=dark]');
    await dark.waitFor();
    const chosen = await colour(page, 'page');
    assert.notDeepEqual(chosen, before);
    await page.reload();
    assert.deepEqual(await colour(page, 'page'), chosen);
    const another = await page.context().newPage();
    await another.goto(core.link());
    await another.locator('html[data-theme=dark]').waitFor();
    assert.equal(await another.evaluate('localStorage.length'), 0, 'nothing is left in the browser');
    assert.deepEqual(faults, []);
  });

  test('a locked page wears the chosen theme, from its address on', async t => {
    const { core, page } = await open(t, profile => {
      Object.assign(profile, { state: 'locked', settings: { theme: 'dark' } });
    });
    await page.getByText('Molva is locked').waitFor();
    await page.locator('html[data-theme=dark]').waitFor();
    await core.crash();
    const early = await page.context().newPage();
    await early.route('**/session', route => route.abort());
    await core.revive();
    await early.goto(`${core.link()}&theme=light`);
    await early.locator('html[data-theme=light]').waitFor();
    assert.doesNotMatch(early.url(), /#/);
  });

  test('nothing runs past the window in either size, and nothing moves when motion is unwanted', async t => {
    for (const viewport of [WIDE, NARROW]) {
      const { page } = await open(t, people, { viewport, reducedMotion: 'reduce' });
      await page.getByRole('button', { name: /Mira/ }).click();
      const composer = page.getByLabel('Message to Mira');
      await composer.waitFor();
      const box = await composer.boundingBox();
      assert.ok(box && box.y + box.height <= viewport.height && box.x + box.width <= viewport.width);
      const wide = await page.locator('html').evaluate(root => root.scrollWidth);
      assert.equal(wide, viewport.width);
      const moving = await page.locator('button').evaluateAll(buttons =>
        buttons.some(button => {
          const style = button.ownerDocument.defaultView?.getComputedStyle(button);
          return style?.transitionDuration !== '0s' || style.animationName !== 'none';
        }),
      );
      assert.equal(moving, false);
    }
  });

  test('long names of a group and its members stay inside, in either size', async t => {
    for (const viewport of [WIDE, NARROW]) {
      const { page } = await open(t, longNames, { viewport });
      await page.getByRole('button', { name: /Expedition/ }).click();
      await page.locator('.bubble').last().waitFor();
      assert.deepEqual(await runningOver(page, 'li, .change, .from, h2, header'), []);
      assert.equal((await runningOver(page, 'header h2 bdi')).length, 1, 'what is cut on purpose is seen by this');
      await page.getByRole('button', { name: 'Group details' }).click();
      await page.getByRole('button', { name: /^More about W/ }).click();
      await page.getByText('The same 60 digits').waitFor();
      assert.deepEqual(await runningOver(page, 'aside, aside section, .member, .actions, .face'), []);
      assert.equal(await page.locator('html').evaluate(root => root.scrollWidth), viewport.width);
    }
  });
});

/** A group and a contact in it whose names are as long as any may be, without a place to break them. */
function longNames(profile: FakeProfile): void {
  const contact = profile.addContact('W'.repeat(64), { trust: 'changed', online: true });
  const member = memberOf(contact, { role: 'admin', equivocated: true });
  const group = addGroup(profile, `Expedition${'m'.repeat(118)}`, [member]);
  say(profile, group, contact.nick, 'x'.repeat(400));
  notify(profile, group, { kind: 'renamed', by: member, name: group.name });
  notify(profile, group, { kind: 'equivocation', member });
  say(profile, group, 'you', 'x', { reach: { deliveredTo: 0, of: 1 } });
}

/** Boxes whose content is wider than they are. */
function runningOver(page: Page, boxes: string): Promise<string[]> {
  return page
    .locator(boxes)
    .evaluateAll(found =>
      found.filter(box => box.scrollWidth > box.clientWidth + 1).map(box => `${box.tagName} ${box.className}`),
    );
}

/** Red, green and blue (0 to 255) that a colour of `tokens.css` comes out as. */
async function colour(page: Page, name: string): Promise<number[]> {
  const value = await page.locator('body').evaluate((body, property) => {
    body.style.color = `var(--${property})`;
    return body.ownerDocument.defaultView?.getComputedStyle(body).color ?? '';
  }, name);
  const parts = value.match(/[\d.]+/g)?.map(Number) ?? [];
  assert.equal(parts.length, 3, `${name}: ${value}`);
  return parts;
}

/** WCAG 2.2, contrast ratio. */
function contrast(a: readonly number[], b: readonly number[]): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

function luminance(rgb: readonly number[]): number {
  const [r = 0, g = 0, b = 0] = rgb.map(value => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
