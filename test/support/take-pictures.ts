import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import type { FakeCore } from './fake-core.ts';
import type { FakeProfile } from './fake-profile.ts';
import { heldOf, NARROW, openPage, startPage, until, WIDE } from './page.ts';
import { crew, lockedPeople, people, strangers, troubled } from './picture-people.ts';

/**
 * Takes pictures of the page: `node test/support/take-pictures.ts` those that the documents show, with a folder
 * every screen in both sizes and themes, and with the beginning of a name behind it only those.
 */

interface Scene {
  readonly name: string;
  readonly prepare: (profile: FakeProfile) => void;
  readonly act: (page: Page, core: FakeCore) => Promise<void>;
}

/** Only scenes whose name begins so. */
const BEGINNING = process.argv[3] ?? '';
const FOLDER = resolve(process.argv[2] ?? join(import.meta.dirname, '../../docs/pictures'));
const IN_DOCUMENTS = [
  'first-start-light-1100',
  'conversation-light-1100',
  'conversation-dark-1100',
  'details-light-1100',
  'add-contact-dark-1100',
  'list-light-420',
  'conversation-dark-420',
  'link-light-1100',
  'troubled-dark-1100',
  'group-light-1100',
  'group-details-dark-1100',
  'group-create-light-420',
  'custody-light-1100',
  'import-light-1100',
];

async function openFirst(page: Page): Promise<void> {
  await page.getByRole('button', { name: /Mira/ }).click();
  await page.locator('.bubble').last().waitFor();
}

async function openGroup(page: Page): Promise<void> {
  await page.getByRole('button', { name: /Boat crew/ }).click();
  await page.locator('.bubble').last().waitFor();
}

async function openGroupDetails(page: Page): Promise<void> {
  await openGroup(page);
  await page.getByRole('button', { name: 'Group details' }).click();
  await page.getByText('Not your contact').first().waitFor();
}

async function openDetails(page: Page): Promise<void> {
  await page.getByRole('button', { name: /Lena/ }).click();
  await page.getByRole('button', { name: 'Contact details' }).click();
}

/** A bundle that comes as far as its first piece. */
async function* stalled(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(348_000);
  await new Promise(() => {});
}

const SCENES: readonly Scene[] = [
  {
    name: 'first-start',
    prepare: profile => {
      profile.state = 'no-profile';
    },
    act: async page => {
      await page.getByLabel('Your name').fill('Ada');
      await page.getByLabel('Passphrase', { exact: true }).fill('seven quiet otters swim');
    },
  },
  {
    name: 'unlock',
    prepare: lockedPeople,
    act: async page => {
      await page.getByRole('button', { name: 'Unlock', exact: true }).waitFor();
    },
  },
  { name: 'empty', prepare: () => {}, act: page => page.getByText('No one here yet.').waitFor() },
  { name: 'list', prepare: strangers, act: page => page.getByRole('button', { name: /Mira/ }).waitFor() },
  { name: 'conversation', prepare: people, act: openFirst },
  {
    name: 'details',
    prepare: people,
    act: async page => {
      await openDetails(page);
      await page.getByRole('button', { name: 'Show a code' }).click();
      await page.locator('.code').waitFor();
    },
  },
  {
    name: 'changed',
    prepare: people,
    act: async page => {
      await page.getByRole('button', { name: /Jonas/ }).click();
      await page.getByRole('alert').first().waitFor();
    },
  },
  {
    name: 'add-contact',
    prepare: people,
    act: async page => {
      await page.getByRole('button', { name: 'Add a contact' }).first().click();
      await page.getByRole('img', { name: 'Your invite as a QR code' }).waitFor();
    },
  },
  { name: 'group', prepare: crew, act: openGroup },
  { name: 'group-details', prepare: crew, act: openGroupDetails },
  {
    name: 'group-change',
    prepare: crew,
    act: async page => {
      await openGroupDetails(page);
      await page.getByRole('button', { name: 'More about Ben' }).click();
      await page.getByRole('button', { name: 'Remove from the group' }).click();
    },
  },
  {
    name: 'group-leave',
    prepare: crew,
    act: async page => {
      await openGroupDetails(page);
      await page.getByRole('button', { name: 'Leave the group' }).click();
      await page.getByRole('button', { name: 'Leave', exact: true }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'group-create',
    prepare: people,
    act: async page => {
      await page.getByRole('button', { name: 'New group' }).click();
      await page.getByLabel('Name of the group').fill('Boat crew');
      await page.getByRole('checkbox', { name: /Mira/ }).check();
    },
  },
  {
    name: 'group-add',
    prepare: crew,
    act: async page => {
      await openGroupDetails(page);
      await page.getByRole('button', { name: 'Add people' }).click();
      await page.getByRole('checkbox', { name: /Jonas/ }).check();
    },
  },
  {
    name: 'group-member',
    prepare: crew,
    act: async page => {
      await openGroupDetails(page);
      await page.getByRole('button', { name: 'More about Lena Vogt' }).click();
      await page.getByText('The same 60 digits').waitFor();
    },
  },
  {
    name: 'group-invite',
    prepare: crew,
    act: async page => {
      await openGroupDetails(page);
      await page.getByRole('button', { name: 'Add people' }).click();
      await page.getByRole('button', { name: 'Make a link' }).click();
      const code = page.getByRole('img', { name: 'Invite to the group as a QR code' });
      await code.scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'group-last-admin',
    prepare: profile => void crew(profile, { role: 'admin' }, 'member'),
    act: async page => {
      await openGroupDetails(page);
      await page.getByRole('button', { name: 'Leave the group' }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'group-leaving',
    prepare: profile => void crew(profile, { phase: 'leaving', role: 'member' }),
    act: openGroup,
  },
  { name: 'group-left', prepare: profile => void crew(profile, { phase: 'left', role: 'member' }), act: openGroup },
  {
    name: 'group-removed',
    prepare: profile => void crew(profile, { phase: 'removed', role: 'member' }),
    act: openGroupDetails,
  },
  {
    name: 'link',
    prepare: people,
    act: async page => {
      await openFirst(page);
      await page.getByRole('link').first().click();
      await page.getByRole('heading', { name: 'Open this address?' }).waitFor();
    },
  },
  {
    name: 'settings',
    prepare: people,
    act: async page => {
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByText('Protection').waitFor();
    },
  },
  {
    name: 'wipe',
    prepare: people,
    act: async page => {
      await page.getByRole('button', { name: 'Settings' }).click();
      const hold = page.getByRole('button', { name: /Hold for 2 seconds/ });
      await hold.scrollIntoViewIfNeeded();
      await hold.hover();
      await page.mouse.down();
      await until(page, async () => Number(await heldOf(page)) > 0.4);
    },
  },
  { name: 'troubled', prepare: troubled, act: openFirst },
  {
    name: 'custody',
    prepare: troubled,
    act: async page => {
      await page.getByRole('button', { name: 'Understood' }).click();
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByText('Held now').waitFor();
      await page.getByRole('heading', { name: 'Protection' }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'export',
    prepare: people,
    act: async page => {
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByRole('button', { name: 'Export to a file' }).click();
      await page.getByRole('radio', { name: 'Chosen contacts' }).check();
      await page.getByRole('checkbox', { name: 'Lena Vogt' }).check();
    },
  },
  {
    name: 'exporting',
    prepare: profile => {
      people(profile);
      profile.bundles.pieces = stalled();
    },
    act: async page => {
      await page.evaluate('delete window.showSaveFilePicker');
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByRole('button', { name: 'Export to a file' }).click();
      await page.getByRole('button', { name: 'Choose a place' }).click();
      await page.getByText('1 sealed envelope').waitFor();
    },
  },
  {
    name: 'import',
    prepare: profile => {
      people(profile);
      const counts = { read: 41, taken: 5, kept: 31, seenBefore: 3, notOurs: 2, refused: 0 };
      profile.bundles.report = { ...counts, file: 'complete' };
    },
    act: async page => {
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByRole('button', { name: 'Import a file' }).click();
      await page.locator('input[type=file]').setInputFiles({ name: 'x.bundle', mimeType: '', buffer: Buffer.alloc(9) });
      await page.getByText('5 new for you').waitFor();
    },
  },
  {
    name: 'sync',
    prepare: people,
    act: async (page, core) => {
      const contact = core.profile.find('Lena Vogt')?.id ?? '';
      await page.getByRole('button', { name: /Lena/ }).waitFor();
      core.emit({ event: 'offline-sync-started', contact, direction: 'in', queued: 12 });
      await page.getByText('Fetching messages').waitFor();
      await until(page, async () => (await page.locator('.sync').evaluate(line => line.getAnimations().length)) === 0);
    },
  },
  {
    name: 'core-lost',
    prepare: people,
    act: async (page, core) => {
      await openFirst(page);
      await core.crash();
      await page.getByText(/Next try/).waitFor();
    },
  },
];

await mkdir(FOLDER, { recursive: true });
const { browser, directory } = await startPage();
for (const scene of SCENES.filter(({ name }) => name.startsWith(BEGINNING))) {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const viewport of [WIDE, NARROW]) {
      const name = `${scene.name}-${colorScheme}-${viewport.width}`;
      if (process.argv[2] === undefined && !IN_DOCUMENTS.includes(name)) continue;
      const { core, page, faults } = await openPage(browser, directory, undefined, scene.prepare, {
        colorScheme,
        viewport,
      });
      await scene.act(page, core);
      await page.screenshot({ path: join(FOLDER, `${name}.png`) });
      if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
      await page.context().close();
      await core.crash();
    }
  }
}
await browser.close();
await rm(directory, { recursive: true, force: true });
