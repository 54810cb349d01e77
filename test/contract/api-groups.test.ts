import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import * as v from 'valibot';
import { WebSocket } from 'ws';
import { InternalError, UsageError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { ERROR_MAP } from '../../core/commands/error-map.ts';
import type { CoreHost } from '../../core/commands/host.ts';
import { type ApiEvent, type CommandTable, EVENTS, METHODS, type MethodName } from '../../core/commands/schema.ts';
import { createCommands } from '../../core/commands/table.ts';
import { ask, rpc, rpcBody, serveApi } from './api-fixture.ts';

type GroupMethod = Extract<MethodName, `groups.${string}`>;

const GROUP = 'g'.repeat(26);
const secretly = 'do-not-repeat-this';
const tooLong = secretly.repeat(20);

/** Parameters that are right, and for each method those that are not. */
const FORMS: Record<GroupMethod, { readonly right: object; readonly wrong: readonly object[] }> = {
  'groups.create': {
    right: { name: 'Trip', members: ['Ben'] },
    wrong: [
      {},
      { name: '' },
      { name: '   ' },
      { name: 7 },
      { name: `${secretly}\u202e` },
      { name: 'x'.repeat(LIMITS.groupNameBytes + 1) },
      { name: 'Trip', members: 'Ben' },
      { name: 'Trip', members: [7] },
      { name: 'Trip', members: [''] },
      { name: 'Trip', members: [tooLong] },
      { name: 'Trip', members: Array.from({ length: LIMITS.groupMembers }, () => 'Ben') },
      { name: 'Trip', admin: secretly },
    ],
  },
  'groups.list': { right: {}, wrong: [{ group: GROUP }] },
  'groups.get': { right: { group: GROUP }, wrong: [{}, { group: '' }, { group: [GROUP] }, { group: tooLong }] },
  'groups.rename': {
    right: { group: GROUP, name: 'Crew' },
    wrong: [{ group: GROUP }, { name: 'Crew' }, { group: GROUP, name: '\u0007' }, { group: GROUP, name: null }],
  },
  'groups.add': {
    right: { group: GROUP, who: 'Ben' },
    wrong: [{ group: GROUP }, { group: GROUP, who: {} }, { who: 'Ben' }],
  },
  'groups.remove': { right: { group: GROUP, member: 'Ben' }, wrong: [{ group: GROUP, who: 'Ben' }, { member: 'Ben' }] },
  'groups.promote': {
    right: { group: GROUP, member: 'Ben' },
    wrong: [{ group: GROUP }, { group: GROUP, member: tooLong }],
  },
  'groups.demote': { right: { group: GROUP, member: 'Ben' }, wrong: [{ group: GROUP }, { group: GROUP, member: 1 }] },
  'groups.leave': { right: { group: GROUP }, wrong: [{}, { group: GROUP, yes: true }] },
  'groups.delete': { right: { group: GROUP }, wrong: [{}, { group: '' }, { group: GROUP, yes: true }] },
  'groups.invite': { right: { group: GROUP }, wrong: [{}, { group: null }] },
  'groups.join': { right: { invite: 'molva:g1/abc' }, wrong: [{}, { invite: 7 }, { invite: 'x'.repeat(2049) }] },
};
const methods = Object.keys(FORMS) as GroupMethod[];

/** Commands of every method about groups that count their calls and then do as `act`. */
function counted(act: () => Promise<never>) {
  let calls = 0;
  const command = () => {
    calls += 1;
    return act();
  };
  const commands: Partial<CommandTable> = Object.fromEntries(methods.map(method => [method, command]));
  return { commands, calls: () => calls };
}

const refuse = (code: 'refused') => async () => {
  throw new UsageError(code, 'test', 'Not now.');
};

test('every method about groups stands in these tables', () => {
  const all = Object.keys(METHODS).filter(name => name.startsWith('groups.'));
  assert.deepEqual([...methods].sort(), all.sort());
});

test('without the token, or with a wrong one, nothing about groups is done or told', async t => {
  const { commands, calls } = counted(refuse('refused'));
  const { port, token } = await serveApi(t, commands);
  const wrong = Buffer.alloc(32, 7).toString('base64url');
  for (const [at, method] of methods.entries()) {
    const body = rpcBody(method, FORMS[method].right);
    const none = await ask(port, 'POST', '/rpc', { 'Content-Type': 'application/json' }, body);
    assert.equal(none.status, 401, method);
    if (at > 1) continue;
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${wrong}` };
    assert.equal((await ask(port, 'POST', '/rpc', headers, body)).status, 401, method);
  }
  assert.equal(calls(), 0);
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
  assert.equal((await ask(port, 'POST', '/rpc', headers, rpcBody('groups.list'))).status, ERROR_MAP.refused.http);
  assert.equal(calls(), 1, 'the right one is let through');
});

test('parameters of another form reach no command, and the answer does not repeat them', async t => {
  const { commands, calls } = counted(refuse('refused'));
  const served = await serveApi(t, commands);
  for (const method of methods) {
    for (const params of FORMS[method].wrong) {
      const { status, body } = await rpc(served, rpcBody(method, params));
      const { error } = JSON.parse(body);
      assert.deepEqual([status, error.code, error.data.code], [400, -32602, 'bad-request'], `${method} ${body}`);
      assert.ok(!body.includes(secretly), body);
    }
  }
  assert.equal(calls(), 0);
  for (const method of methods) await rpc(served, rpcBody(method, FORMS[method].right));
  assert.equal(calls(), methods.length, 'those of the right form do');
});

test('each refusal that a method names arrives with its number, and no other detail', async t => {
  for (const method of methods) {
    for (const code of METHODS[method].errors) {
      const { commands } = counted(async () => {
        throw new UsageError(code, 'test', 'In words for a person.');
      });
      const { status, body } = await rpc(await serveApi(t, commands), rpcBody(method, FORMS[method].right));
      const { error } = JSON.parse(body);
      const { http, rpc: number } = ERROR_MAP[code];
      assert.deepEqual([status, error.code, error.data.code], [http, number, code], method);
      assert.equal(error.message, 'In words for a person.');
    }
  }
});

test('a fault inside is opaque', async t => {
  for (const fault of [new InternalError('groups.test', secretly), new TypeError(secretly)]) {
    const { commands } = counted(async () => {
      throw fault;
    });
    const served = await serveApi(t, commands);
    const { body } = await rpc(served, rpcBody('groups.leave', FORMS['groups.leave'].right));
    assert.equal(JSON.parse(body).error.data.code, 'internal');
    assert.ok(!body.includes(secretly) && !JSON.stringify(served.log).includes(secretly));
  }
});

test('a locked core answers nothing about groups', async t => {
  const locked = () => {
    throw new UsageError('locked', 'test', 'Molva is locked.');
  };
  const served = await serveApi(t, createCommands({ messenger: locked as CoreHost['messenger'] } as CoreHost));
  for (const method of methods) {
    const { status, body } = await rpc(served, rpcBody(method, FORMS[method].right));
    assert.deepEqual([status, JSON.parse(body).error.data.code], [ERROR_MAP.locked.http, 'locked'], method);
  }
});

test('what happens in groups is told to clients with the token, in the documented form', async t => {
  const served = await serveApi(t);
  const socket = new WebSocket(`ws://127.0.0.1:${served.port}/ws`, ['molva.v1', `token.${served.token}`]);
  t.after(() => socket.terminate());
  await once(socket, 'open');
  const group = {
    id: GROUP,
    conversation: 'h'.repeat(26),
    name: 'Crew',
    phase: 'leaving',
    role: 'admin',
    members: 2,
    createdAt: 1,
  } as const;
  const events: ApiEvent[] = [
    { event: 'group-changed', group },
    { event: 'group-members', group: GROUP },
    { event: 'group-commit', group: GROUP, epoch: '0a', by: 'b'.repeat(26), changes: ['add', 'keys'] },
    { event: 'group-commit', group: GROUP, epoch: '0b', by: null, changes: [] },
    { event: 'group-fork-healed', group: GROUP, rolledBack: 3 },
    { event: 'group-deleted', group: GROUP },
  ];
  for (const event of events) {
    v.assert(EVENTS[event.event] as v.GenericSchema, event);
    const came = once(socket, 'message');
    served.emit(event);
    const [data] = await came;
    assert.deepEqual(JSON.parse(String(data)), { jsonrpc: '2.0', method: 'event', params: event });
  }
});
