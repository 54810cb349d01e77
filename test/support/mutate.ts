/** A small seeded generator (mulberry32), so that a failing run can be had again from its printed seed. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function freshSeed(): number {
  return Number(process.env.MOLVA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
}

/** A copy with one to four of: a flipped bit, another byte, a cut, bytes put in, a part of another sample. */
export function mutateBytes(samples: readonly Uint8Array[], number: () => number): Buffer {
  const pick = (limit: number): number => Math.floor(number() * limit);
  let bytes = Buffer.from(samples[pick(samples.length)] as Uint8Array);
  for (let times = 1 + pick(4); times > 0; times -= 1) {
    const at = pick(bytes.length + 1);
    switch (pick(5)) {
      case 0:
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << pick(8));
        break;
      case 1:
        if (at < bytes.length) bytes[at] = pick(256);
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + pick(8), pick(256)), bytes.subarray(at)]);
        break;
      default: {
        const other = Buffer.from(samples[pick(samples.length)] as Uint8Array);
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(pick(other.length + 1))]);
      }
    }
  }
  return bytes;
}
