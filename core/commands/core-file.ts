import * as v from 'valibot';

/** `core.json` in the data directory: how a command line finds the running core. */
export const CORE_FILE_NAME = 'core.json';

const schema = v.object({
  url: v.pipe(v.string(), v.regex(/^http:\/\/127\.0\.0\.1:[1-9][0-9]{0,4}$/)),
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  token: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
});

export type CoreFile = v.InferOutput<typeof schema>;

export function encodeCoreFile(file: CoreFile): string {
  return `${JSON.stringify({ url: file.url, pid: file.pid, token: file.token })}\n`;
}

/** Undefined when the text is not one of ours: an unusable file counts as none. */
export function parseCoreFile(text: string): CoreFile | undefined {
  try {
    const parsed = v.safeParse(schema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
