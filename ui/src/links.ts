/** A stretch of a message: words, or a web address with the form in which the browser would get it. */
export interface Part {
  readonly text: string;
  readonly url?: string;
}

/** An address ends at white space, quotes, and at every invisible or direction sign that could disguise it. */
const ADDRESS = /(?<![\p{L}\p{N}_])https?:\/\/[^\s<>"«»“”\p{Cc}\p{Cf}\p{Z}]+/giu;
const TRAILING = /[.,;:!?'’…*_]$/u;
const BRACKETS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
/** As much as the core opens. */
const MAX_CHARACTERS = 2048;

/** Splits a text so that the parts joined give it back unchanged. Only what the core would open becomes a link. */
export function linkParts(text: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const found of text.matchAll(ADDRESS)) {
    const typed = trimmed(found[0]);
    const url = webAddress(typed);
    if (url === null) continue;
    if (found.index > at) parts.push({ text: text.slice(at, found.index) });
    parts.push({ text: typed, url });
    at = found.index + typed.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at) });
  return parts;
}

/** The host of an address set apart, so that a dialog can show where it really leads. */
export function addressParts(url: string): { before: string; host: string; after: string } {
  const { protocol, host } = new URL(url);
  const before = `${protocol}//`;
  return { before, host, after: url.slice(before.length + host.length) };
}

/** The sentence's own full stop and closing bracket are no part of the address. */
function trimmed(address: string): string {
  let end = address;
  for (;;) {
    const last = end.at(-1) ?? '';
    const opening = BRACKETS[last];
    const unmatched = opening !== undefined && end.split(last).length > end.split(opening).length;
    if (!unmatched && !TRAILING.test(end)) return end;
    end = end.slice(0, -1);
  }
}

function webAddress(typed: string): string | null {
  const url = typed.length <= MAX_CHARACTERS ? URL.parse(typed) : null;
  if (url === null || url.username !== '' || url.password !== '') return null;
  return url.href.length <= MAX_CHARACTERS ? url.href : null;
}
