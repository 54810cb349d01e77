import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BenchCore } from './cores.ts';
import { median, type Row } from './row.ts';

const STARTS = 9;

/** From `molva start` to the line that says it serves, on a locked profile; turn about with a bare runtime. */
export async function run(): Promise<Row[]> {
  const core = await BenchCore.create('Ada');
  try {
    // The first start after an update fills the compile cache.
    await core.start({ locked: true });
    await core.stop();
    const starts: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < STARTS; round += 1) {
      starts.push(await core.start({ locked: true }));
      await core.stop();
      bare.push(await bareStart());
    }
    const value = median(starts);
    const peerValue = median(bare);
    const note = `median of ${STARTS} starts, locked; slowest ${Math.round(Math.max(...starts))} ms; the command starts a runtime twice`;
    return [
      {
        name: 'start to serving',
        unit: 'ms',
        value,
        peer: 'bare Node process, started and ended',
        peerValue,
        ratio: peerValue / value,
        goal: 400,
        goalOf: 'value',
        better: 'less',
        note,
      },
    ];
  } finally {
    await core.remove();
  }
}

async function bareStart(): Promise<number> {
  const startedAtMs = performance.now();
  await once(spawn(process.execPath, ['--eval', ''], { stdio: 'ignore' }), 'exit');
  return performance.now() - startedAtMs;
}

if (import.meta.main) {
  for (const row of await run()) process.stdout.write(`${JSON.stringify(row)}\n`);
}
