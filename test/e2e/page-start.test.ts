import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NO_BROWSER, until, usePage } from '../support/page.ts';

describe('page: first start, unlock and lock', { skip: NO_BROWSER }, () => {
  const open = usePage();

  test('the one-use code leaves the address, and a reload keeps the window signed in', async t => {
    const { page, faults } = await open(t);
    await page.getByText('No one here yet.').waitFor();
    assert.equal(new URL(page.url()).hash, '');
    await page.reload();
    await page.getByText('No one here yet.').waitFor();
    assert.deepEqual(faults, []);
  });

  test('without a code the page says how to open it', async t => {
    const { core, page } = await open(t);
    const stranger = await page.context().browser()?.newContext();
    t.after(() => stranger?.close());
    const other = await stranger?.newPage();
    await other?.goto(new URL('/', core.link()).href);
    await other?.getByText('molva open').waitFor();
  });

  test('a new person chooses a name and a passphrase', async t => {
    const { core, page, faults } = await open(t, profile => {
      profile.state = 'no-profile';
    });
    const create = page.getByRole('button', { name: 'Start using Molva' });
    await page.getByText('Nobody can recover a lost passphrase').waitFor();
    await create.click();
    await page.getByText('Enter a name.').waitFor();
    await page.getByLabel('Your name').fill('Grace');
    const [first, second] = [
      page.getByLabel('Passphrase', { exact: true }),
      page.getByLabel('Passphrase again', { exact: true }),
    ];
    await first.fill('abc');
    await page.getByText('Weak: a computer guesses this.').waitFor();
    await create.click();
    await page.getByText('Use at least 8 characters.').waitFor();
    await first.fill('seven quiet otters swim');
    await page.getByText('Strong.').waitFor();
    await second.fill('seven quiet otters swam');
    await create.click();
    await page.getByText('The two passphrases are not the same.').waitFor();
    await page.getByRole('button', { name: 'Show passphrase' }).first().click();
    assert.equal(await first.getAttribute('type'), 'text');
    await second.fill('seven quiet otters swim');
    await second.press('Enter');
    await page.getByText('No one here yet.').waitFor();
    assert.deepEqual(
      core.calls.filter(call => call.method === 'profile.create'),
      [{ method: 'profile.create', params: { nick: 'Grace', passphrase: 'seven quiet otters swim' } }],
    );
    assert.deepEqual(faults, []);
  });

  test('a wrong passphrase is said, the delay counts down, the right one opens', async t => {
    const { core, page } = await open(t, profile => {
      profile.state = 'locked';
    });
    const field = page.getByLabel('Passphrase', { exact: true });
    for (const wrong of ['wrong one', 'wrong two']) {
      await field.fill(wrong);
      await field.press('Enter');
      await page.getByText('This is not the passphrase.').waitFor();
      await until(page, async () => (await field.inputValue()) === '');
    }
    await page.getByText(/Wait \d+ s before/).waitFor();
    const unlock = page.getByRole('button', { name: 'Unlock', exact: true });
    assert.equal(await unlock.isDisabled(), true);
    await field.fill('too early');
    await field.press('Enter');
    await until(page, async () => !(await unlock.isDisabled()));
    const tried = core.calls.filter(call => call.method === 'vault.unlock');
    assert.equal(tried.length, 2, 'nothing is tried while the delay lasts');
    await field.fill(core.profile.passphrase);
    await unlock.click();
    await page.getByText('No one here yet.').waitFor();
  });

  test('the keychain is offered when enabled, and opens without a passphrase', async t => {
    const { core, page } = await open(t, profile => {
      profile.state = 'locked';
      profile.keychain = { available: true, enabled: true, reason: null };
    });
    await page.getByRole('button', { name: 'Unlock with the system keychain' }).click();
    await page.getByText('No one here yet.').waitFor();
    assert.deepEqual(core.calls.find(call => call.method === 'vault.unlock')?.params, {});
  });

  test('locking takes every word off the page', async t => {
    const { core, page } = await open(t, profile => {
      profile.addMessage(profile.addContact('Mira'), 'only for us');
    });
    await page.getByRole('button', { name: /Mira/ }).click();
    await page.getByRole('log').getByText('only for us').waitFor();
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Lock now' }).click();
    await page.getByText('Molva is locked').waitFor();
    assert.equal(await page.getByText('only for us').count(), 0);
    assert.equal(core.profile.state, 'locked');
  });

  test('settings: rename, passphrase, keychain with its reason, what is missing', async t => {
    const { core, page, faults } = await open(t, profile => {
      profile.keychain = { available: false, enabled: false, reason: 'No secret service is running.' };
      profile.hardening = {
        addon: 'missing',
        coreDumps: 'unknown',
        memory: 'unlocked',
        missing: ['Install a compiler.'],
      };
    });
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByText('No secret service is running.').waitFor();
    await page.getByText('Install a compiler.').waitFor();
    assert.equal(await page.getByRole('switch', { name: /keychain/ }).isDisabled(), true);
    await page.getByLabel('Your name').fill('Ada L.');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved').waitFor();
    assert.equal(core.profile.nick, 'Ada L.');
    await page.getByText('Change passphrase').first().click();
    await page.getByLabel('Current passphrase').fill(core.profile.passphrase);
    await page.getByLabel('New passphrase', { exact: true }).fill('eight loud herons fly');
    await page.getByLabel('New passphrase again').fill('eight loud herons fly');
    await page.getByRole('button', { name: 'Change passphrase' }).click();
    await page.getByText('The passphrase is changed.').waitFor();
    assert.equal(core.profile.passphrase, 'eight loud herons fly');
    await page.getByRole('radio', { name: 'Dark' }).check();
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    assert.deepEqual(faults, []);
  });
});
