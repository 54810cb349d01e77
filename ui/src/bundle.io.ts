import type { BundleReport } from '../../core/commands/schema.ts';
import type { Model } from './model.ts';
import { CallError, decodeRefusal } from './rpc.ts';

/** The part of the File System Access API used here; some browsers and windows do not have it. */
interface SaveFileHandle {
  createWritable(): Promise<WritableStream<Uint8Array>>;
}
type SaveFilePicker = (options: { suggestedName: string }) => Promise<SaveFileHandle>;

/** Where an exported bundle went: a file the person chose, or the browser's downloads; and how much waited. */
export type Exported = { readonly envelopes: number } & (
  | { readonly kind: 'file' }
  | { readonly kind: 'download'; readonly name: string }
);

/**
 * Exports what waits for these contacts, for all when none is named. Streams into the file where the browser can;
 * else the browser holds the bundle (256 MiB at most, on its disk when it is large) and saves it as a download.
 * To be called from a click, or no place can be asked for.
 * @throws CallError; DOMException AbortError: the person chose no place, or stopped it
 */
export async function exportBundle(model: Model, who: readonly string[], signal: AbortSignal): Promise<Exported> {
  const name = `molva-${new Date().toISOString().slice(0, 10)}.bundle`;
  const pick = (window as { showSaveFilePicker?: SaveFilePicker }).showSaveFilePicker;
  const file = await pick?.call(window, { suggestedName: name });
  const answer = await model.post('/bundle/export', 'application/json', JSON.stringify({ for: who }), signal);
  if (!answer.ok || answer.body === null) throw await refusalOf(answer);
  const envelopes = Number(answer.headers.get('molva-envelopes'));
  if (file === undefined) {
    download(await answer.blob(), name);
    return { kind: 'download', name, envelopes };
  }
  // A stream that breaks leaves what stood in the file before as it was.
  await answer.body.pipeTo(await file.createWritable(), { signal });
  return { kind: 'file', envelopes };
}

/** The browser reads the file as it sends it. @throws CallError; DOMException AbortError: the person stopped it */
export async function importBundle(model: Model, file: File, signal: AbortSignal): Promise<BundleReport> {
  const answer = await model.post('/bundle/import', 'application/octet-stream', file, signal);
  if (!answer.ok) throw await refusalOf(answer);
  return (await answer.json()) as BundleReport;
}

async function refusalOf(answer: Response): Promise<CallError> {
  if (answer.status === 401 || answer.status === 429) return new CallError('unauthorized');
  return decodeRefusal(await answer.text());
}

function download(bundle: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(bundle);
  link.download = name;
  link.click();
  // The download has taken hold of the bundle by the next turn.
  setTimeout(() => URL.revokeObjectURL(link.href));
}
