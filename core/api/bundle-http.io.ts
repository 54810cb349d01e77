import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { hex } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { systemRandom } from '../base/world.io.ts';
import type { BundleStreams } from '../commands/bundles.ts';
import { ERROR_MAP } from '../commands/error-map.ts';
import type { BundleDraft } from '../state/bundles.ts';
import { errorAnswer } from './answer.ts';
import { RequestError } from './request.ts';

const chosen = v.strictObject({
  for: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(256))), v.maxLength(LIMITS.contacts)),
    [],
  ),
});

/** Says how many envelopes a bundle that is written holds. */
export const ENVELOPES_HEADER = 'Molva-Envelopes';

/** Streams a bundle out. Once the first byte has left, a fault ends the connection before the bundle's last chunk. */
export async function exportBundle(
  bundles: BundleStreams,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  let draft: BundleDraft;
  try {
    draft = await bundles.write(chosenIn(body), transferOf(request));
  } catch (error) {
    return refuse(response, error);
  }
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', [ENVELOPES_HEADER]: draft.envelopes });
  await pipeline(draft.pieces, response);
}

/** Takes a bundle as it comes, and answers with what became of it. A sender that stops for long is cut off. */
export async function importBundle(
  bundles: BundleStreams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.setTimeout(LIMITS.bundleIdleMs, () => request.destroy());
  try {
    const report = await bundles.read(request.iterator({ destroyOnReturn: false }), transferOf(request));
    answer(response, 200, JSON.stringify(report));
  } catch (error) {
    refuse(response, error);
  }
}

/** The name the client gave, so that it knows its own `bundle-progress`; else one of our own. */
function transferOf({ headers }: IncomingMessage): string {
  return /^[A-Za-z0-9_-]{1,32}$/.exec(String(headers['molva-transfer'] ?? ''))?.[0] ?? hex(systemRandom(8));
}

function chosenIn(body: Buffer): readonly string[] {
  const parsed = v.safeParse(chosen, parseJson(body));
  if (parsed.success) return parsed.output.for;
  throw new RequestError(-32600, null, 'The body is not right: it should be {"for": [WHO, ...]} or {}.');
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  const { error: shown } = errorAnswer(null, error);
  answer(response, ERROR_MAP[shown.data.code].http, JSON.stringify({ error: shown }));
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
