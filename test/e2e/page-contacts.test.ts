import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import decodeQR from 'qr/decode.js';
import type { Contact } from '../../core/commands/schema.ts';
import { FAKE_CODE, FAKE_INVITE } from '../support/fake-commands.ts';
import { NARROW, NO_BROWSER, until, usePage } from '../support/page.ts';

const NASTY = [
  '<img src=x onerror="document.title=\'owned\'">',
  '"><script>document.title="owned"</script>',
  '{{7*7}} <svg/onload=alert(1)>',
  '\u202Eevil\u202C <b>bold</b>',
];

describe('page: people', { skip: NO_BROWSER }, () => {
  const open = usePage();

  test('the invite is shown as text and as a QR code that decodes, in both themes', async t => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, faults } = await open(t, undefined, { colorScheme, viewport: NARROW });
      await page.getByRole('button', { name: 'Add a contact' }).first().click();
      const qr = page.getByRole('img', { name: 'Your invite as a QR code' });
      assert.equal(await page.getByLabel('Your invite as text').inputValue(), FAKE_INVITE);
      assert.equal(await readQr(page, qr), FAKE_INVITE);
      assert.deepEqual(faults, []);
    }
  });

  test('pasting: empty, not an invite, refused, accepted', async t => {
    const { core, page } = await open(t);
    await page.getByRole('button', { name: 'Add a contact' }).first().click();
    const ask = page.getByRole('button', { name: 'Ask to talk' });
    const field = page.getByLabel('Invite you were given');
    await ask.click();
    await page.getByText('Paste an invite first.').waitFor();
    await field.fill('https://example.org/');
    await ask.click();
    await page.getByText('This is not an invite.').waitFor();
    await field.fill('molva:1/expired');
    await ask.click();
    await page.getByText('This invite has expired.').waitFor();
    await field.fill('  molva:1/abc\n  def ');
    await page.getByLabel('Your name for them (optional)').fill('Noor');
    await ask.click();
    await page.getByText('Noor is asked.').waitFor();
    assert.deepEqual(core.calls.at(-1)?.params, { invite: 'molva:1/abcdef', nick: 'Noor' });
    await page.getByRole('button', { name: 'Open the conversation' }).click();
    await page.getByText('Noor has not accepted yet.').waitFor();
  });

  test('a request is shown with its safety number; accepting opens the conversation, declining removes it', async t => {
    const { core, page } = await open(t, profile => {
      profile.addRequest('Noor');
    });
    const noor = page.getByRole('article', { name: 'Noor' });
    await noor.getByText('Safety number').click();
    const [request] = core.profile.requests.values();
    await noor.getByText(request?.safetyNumber ?? 'none').waitFor();
    core.emit({ event: 'contact-request', request: core.profile.addRequest('Mallory') });
    const mallory = page.getByRole('article', { name: 'Mallory' });
    await mallory.getByRole('button', { name: 'Decline' }).click();
    await mallory.waitFor({ state: 'detached' });
    await noor.getByRole('button', { name: 'Accept' }).click();
    await page.getByLabel('Message to Noor').waitFor();
    assert.equal(core.profile.requests.size, 0);
  });

  test('names and texts of others stay text', async t => {
    const { page, faults } = await open(t, profile => {
      for (const nasty of NASTY) {
        const contact = profile.addContact(nasty, { claimedNick: `${nasty}!` });
        profile.addMessage(contact, nasty);
        profile.addRequest(nasty);
      }
    });
    for (const nasty of NASTY) {
      await page.locator('molva-request-card bdi').getByText(nasty, { exact: true }).waitFor();
      await page.locator('button.item', { has: page.locator('.who bdi').getByText(nasty, { exact: true }) }).click();
      await page.getByRole('log').locator('.text').getByText(nasty, { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Contact details' }).click();
      await page.locator('aside').getByText(`${nasty}!`).waitFor();
    }
    assert.equal(await page.locator('img, b, iframe, .text *').count(), 0);
    assert.equal(await page.locator('script').count(), 1, 'only the page itself');
    assert.doesNotMatch(await page.title(), /owned/);
    assert.deepEqual(faults, []);
  });

  test('showing a code: a reported match verifies nothing until the person confirms it', async t => {
    const { core, page } = await open(t, profile => void profile.addContact('Mira'));
    await openDetails(page, 'Mira');
    await page.getByRole('button', { name: 'Show a code' }).click();
    await page.locator('.code').waitFor();
    assert.equal((await page.locator('.code').textContent())?.trim(), FAKE_CODE);
    await page.getByText(/Good for (9:5\d|10:00)/).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Yes, it matched' }).count(), 0);
    theyMatch();
    await page.getByText('Did they tell you that it matched?').waitFor();
    await page.locator('header').getByText('Not verified', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'No', exact: true }).click();
    await page.getByText('do not trust this connection yet').waitFor();
    await until(page, () => core.calls.some(call => call.method === 'verification.cancel'));
    assert.equal(core.calls.filter(call => call.method === 'verification.confirm').length, 0);
    await page.getByRole('button', { name: 'Show a new code' }).click();
    await page.locator('.code').waitFor();
    await page.keyboard.press('Escape');
    theyMatch();
    await page.getByText('Mira reports that the code matched.').waitFor();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('button', { name: 'Yes, it matched' }).click();
    await page.locator('header').getByText('Verified', { exact: true }).waitFor();
    await page.getByText('Already verified.').waitFor();

    function theyMatch() {
      const [shown] = core.profile.verifications.values();
      assert.ok(shown);
      const verification = { ...shown, phase: 'matched', code: null } as const;
      core.profile.verifications.set(shown.contact, verification);
      core.emit({ event: 'verification-changed', verification });
    }
  });

  test('typing a code: asked for in the conversation, wrong tries counted, then burnt', async t => {
    const { core, page } = await open(t, profile => void profile.addContact('Mira'));
    const [mira] = core.profile.contacts.values() as IterableIterator<Contact>;
    assert.ok(mira);
    await page.getByRole('button', { name: /Mira/ }).click();
    theyShow();
    await page.getByText('Mira is showing a code for you.').waitFor();
    await page.getByRole('button', { name: 'Enter it' }).click();
    const field = page.getByLabel('Their code');
    await field.fill('abc');
    await field.press('Enter');
    await page.getByText('A code has 12 letters and digits').waitFor();
    for (const left of ['2 tries left', '1 try left']) {
      await field.fill('zzzz-zzzz-zzzz');
      await field.press('Enter');
      await page.getByText('The codes differ.').waitFor();
      await page.getByText(left).waitFor();
    }
    await field.fill('zzzzzzzzzzzz');
    await field.press('Enter');
    await page.getByText('the code is burnt. Start again').waitFor();
    theyShow();
    await field.fill('ABCD efgh 2345');
    await field.press('Enter');
    await page.getByText('It matches. Tell them so').waitFor();
    await page.locator('header').getByText('Verified', { exact: true }).waitFor();

    function theyShow() {
      const verification = {
        contact: mira?.id ?? '',
        role: 'types',
        phase: 'ready',
        code: null,
        triesLeft: 3,
        expiresAt: Date.now() + 600_000,
      } as const;
      core.profile.verifications.set(verification.contact, verification);
      core.emit({ event: 'verification-changed', verification });
    }
  });

  test('a code can be given up on either side', async t => {
    const { core, page } = await open(t, profile => void profile.addContact('Mira'));
    const [mira] = core.profile.contacts.values();
    await openDetails(page, 'Mira');
    await page.getByRole('button', { name: 'Show a code' }).click();
    await page.locator('.code').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('The code was given up.').waitFor();
    assert.equal(await page.locator('.code').count(), 0);
    await page.getByRole('button', { name: 'Show a code' }).waitFor();
    const theirs = { contact: mira?.id ?? '', role: 'types', code: null, triesLeft: 3 } as const;
    const verification = { ...theirs, phase: 'ready', expiresAt: Date.now() + 600_000 } as const;
    core.profile.verifications.set(verification.contact, verification);
    core.emit({ event: 'verification-changed', verification });
    await page.getByLabel('Their code').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('The code was given up.').waitFor();
    assert.equal(core.profile.verifications.get(verification.contact)?.phase, 'cancelled');
    await page.locator('header').getByText('Not verified', { exact: true }).waitFor();
  });

  test('an expired code is said to be expired', async t => {
    const { core, page } = await open(t, profile => void profile.addContact('Mira'));
    const [mira] = core.profile.contacts.values();
    const expiresAt = Date.now() + 1500;
    const shown = {
      contact: mira?.id ?? '',
      role: 'shows',
      phase: 'ready',
      code: FAKE_CODE,
      triesLeft: 3,
      expiresAt,
    } as const;
    core.profile.verifications.set(shown.contact, shown);
    await openDetails(page, 'Mira');
    await page.getByText('The code has expired.').waitFor();
    assert.ok(Date.now() >= expiresAt);
    assert.equal(await page.locator('.code').count(), 0);
  });

  test('details: rename, safety number as QR, a changed key warns, removal asks first', async t => {
    const { core, page } = await open(t, profile => void profile.addContact('Mira', { trust: 'changed' }));
    const [mira] = core.profile.contacts.values();
    await page.getByRole('button', { name: /Mira.*Key changed/ }).click();
    await page.getByText('The key of this contact has changed.').waitFor();
    await page.getByRole('button', { name: 'Compare a code' }).click();
    await page.getByRole('button', { name: 'Show as QR code' }).click();
    const qr = page.getByRole('img', { name: 'Safety number as a QR code' });
    assert.equal(await readQr(page, qr), mira?.safetyNumber.replaceAll(' ', ''));
    await page.getByLabel('Your name for this contact').fill('Mira from work');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Calls itself “Mira”.').waitFor();
    await page.getByRole('button', { name: 'Remove contact' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(core.profile.contacts.size, 1);
    await page.getByRole('button', { name: 'Remove contact' }).click();
    await page.getByRole('button', { name: 'Remove for good' }).click();
    await page.getByText('No one here yet.').waitFor();
    await until(page, () => core.profile.contacts.size === 0);
  });
});

async function openDetails(page: Page, nick: string): Promise<void> {
  await page.getByRole('button', { name: new RegExp(nick) }).click();
  await page.getByRole('button', { name: 'Contact details' }).click();
}

/** Runs in a blank page, which has no policy: unpacks a picture into its width and one character a pixel (red). */
const UNPACK = `async base64 => {
  const picture = await createImageBitmap(await (await fetch('data:image/png;base64,' + base64)).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
  canvas.drawImage(picture, 0, 0);
  const pixels = canvas.getImageData(0, 0, picture.width, picture.height).data;
  let red = '';
  for (let i = 0; i < pixels.length; i += 4) red += String.fromCharCode(pixels[i]);
  return { red, width: picture.width, height: picture.height };
}`;

/** Decodes the pixels as a camera would see them. */
async function readQr(page: Page, qr: Locator): Promise<string> {
  const png = (await qr.screenshot()).toString('base64');
  const blank = await page.context().newPage();
  const unpacked = await blank.evaluate(`(${UNPACK})('${png}')`);
  await blank.close();
  const { red, width, height } = unpacked as { red: string; width: number; height: number };
  return decodeQR({ data: Buffer.from(red, 'latin1'), width, height }, { format: 'I420', timeLimit: 5000 });
}
