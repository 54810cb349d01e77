import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { parseLink } from '../../core/commands/link.ts';

test('web addresses pass, in the form the browser will read', () => {
  assert.equal(parseLink('https://example.org'), 'https://example.org/');
  assert.equal(parseLink('HTTP://Example.ORG:80/a?b=1#c'), 'http://example.org/a?b=1#c');
  assert.equal(parseLink('https://[2001:db8::1]:8443/'), 'https://[2001:db8::1]:8443/');
});

test('what looks like another name is shown as what it is', () => {
  assert.equal(parseLink('https://аpple.com/'), 'https://xn--pple-43d.com/');
  assert.equal(parseLink('https://example.org/пирог'), 'https://example.org/%D0%BF%D0%B8%D1%80%D0%BE%D0%B3');
});

test('nothing of the shell survives unescaped beside what belongs to an address', () => {
  assert.doesNotMatch(parseLink('https://example.org/"`<>'), /["<>]/);
});

const REFUSED = [
  '',
  'example.org',
  '/etc/passwd',
  '-h',
  '--help https://example.org',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'JaVaScRiPt://example.org/%0aalert(1)',
  'data:text/html,<script>1</script>',
  'vbscript:x',
  'ms-msdt:/id',
  'smb://host/share',
  'molva:1/abc',
  'blob:https://example.org/1',
  'view-source:https://example.org',
  'https://',
  'https:// example.org',
  'https://user@example.org/',
  'https://example.org:secret@evil.example/',
  'https://example.org\u202e/fdp',
  'https://exa\u200bmple.org/',
  'https://example.org/\nfile:///etc/passwd',
  'ht\ttps://example.org/',
  ' https://example.org/',
  'https://example.org:99999/',
  `https://example.org/${'a'.repeat(LIMITS.linkCharacters)}`,
];

for (const address of REFUSED) {
  test(`refused: ${JSON.stringify(address.slice(0, 50))}`, () => {
    assert.throws(
      () => parseLink(address),
      error => error instanceof UsageError && error.code === 'refused',
    );
  });
}
