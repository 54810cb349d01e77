import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../../core/base/limits.ts';
import {
  compareForDial,
  formatTcpAddress,
  inTellingOrder,
  parseTcpAddress,
  scopeOf,
} from '../../core/network/addresses.ts';
import { addressesFromCard, addressesToCard } from '../../core/network/card-addresses.ts';

const parse = (text: string) => {
  const address = parseTcpAddress(text);
  assert.ok(address, text);
  return address;
};

describe('network addresses', () => {
  it('reads TCP multiaddrs with numeric hosts and drops the peer', () => {
    assert.deepEqual(parse('/ip4/192.0.2.7/tcp/4001'), { family: 4, host: '192.0.2.7', port: 4001 });
    assert.equal(formatTcpAddress(parse('/ip6/::1/tcp/1')), '/ip6/::1/tcp/1');
    const peer = '12D3KooWGC6TvWhfagifX6gvQyUC1FvJVmgiYi6cAWLwVLJWJ1mE';
    assert.equal(formatTcpAddress(parse(`/ip4/192.0.2.7/tcp/9/p2p/${peer}`)), '/ip4/192.0.2.7/tcp/9');
  });

  for (const text of [
    '',
    'nonsense',
    '/ip4/192.0.2.7',
    '/ip4/192.0.2.7/udp/9/quic-v1',
    '/ip4/192.0.2.300/tcp/9',
    '/dns4/example.org/tcp/9',
    '/unix/%2Ftmp%2Fsocket',
    '/ip4/192.0.2.7/tcp/9/ws',
    '/ip4/192.0.2.7/tcp/9/tcp/9',
    `/ip4/192.0.2.7/tcp/9/${'x'.repeat(200)}`,
  ]) {
    it(`passes over ${JSON.stringify(text.slice(0, 40))}`, () => assert.equal(parseTcpAddress(text), undefined));
  }

  it('knows how far an address reaches', () => {
    const scopes = (hosts: string[], family: 4 | 6) => hosts.map(host => scopeOf({ family, host, port: 1 }));
    assert.deepEqual(scopes(['127.0.0.1', '127.9.9.9'], 4), ['loopback', 'loopback']);
    assert.deepEqual(
      new Set(scopes(['10.1.1.1', '172.16.0.1', '172.31.9.9', '192.168.3.4', '100.64.0.1'], 4)),
      new Set(['private']),
    );
    assert.deepEqual(new Set(scopes(['8.8.8.8', '172.32.0.1', '100.128.0.1', '192.0.2.1'], 4)), new Set(['public']));
    assert.deepEqual(scopes(['::1', 'fd00::1', 'fe80::1', '2001:db8::1'], 6), [
      'loopback',
      'private',
      'private',
      'public',
    ]);
  });

  it('tells public addresses first and dials private ones first, loopback last in both', () => {
    const mixed = ['/ip4/127.0.0.1/tcp/1', '/ip4/10.0.0.1/tcp/1', '/ip4/8.8.8.8/tcp/1', '/ip4/8.8.8.8/tcp/1'].map(
      parse,
    );
    assert.deepEqual(inTellingOrder(mixed), ['/ip4/8.8.8.8/tcp/1', '/ip4/10.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/1']);
    assert.deepEqual(
      [...mixed].sort(compareForDial).map(address => address.host),
      ['10.0.0.1', '8.8.8.8', '8.8.8.8', '127.0.0.1'],
    );
  });

  it('goes through a card unchanged, bounded, without what is not usable', () => {
    const told = ['/ip4/8.8.8.8/tcp/1', '/dns4/example.org/tcp/1', '/ip6/2001:db8::1/tcp/65535'];
    assert.deepEqual(addressesFromCard(addressesToCard(told)), ['/ip4/8.8.8.8/tcp/1', '/ip6/2001:db8::1/tcp/65535']);
    const many = Array.from({ length: 20 }, (_, port) => `/ip4/8.8.8.8/tcp/${port + 1}`);
    assert.equal(addressesToCard(many).length, LIMITS.cardAddresses);
    assert.equal(addressesToCard(many, 2).length, 2);
  });

  it('takes 100,000 mutated card addresses without throwing', () => {
    const bases = addressesToCard(['/ip4/8.8.8.8/tcp/4001', '/ip6/2001:db8::1/tcp/4001']);
    let usable = 0;
    fc.assert(
      fc.property(fc.nat(1), fc.nat(30), fc.nat(255), fc.nat(30), (which, at, value, length) => {
        const mutated = Uint8Array.from(bases[which] ?? []).slice(0, length);
        if (at < mutated.length) mutated[at] = value;
        for (const text of addressesFromCard([mutated])) {
          usable += 1;
          assert.ok(parseTcpAddress(text));
        }
      }),
      { numRuns: 100_000 },
    );
    assert.ok(usable > 1_000, `${usable} usable`);
  });
});
