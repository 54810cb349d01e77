/** Control characters and direction marks could redraw the terminal or disguise who says what. */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

export function safe(text: string): string {
  return text.replace(UNSAFE, '\ufffd');
}

/** Who speaks or does something: whoever calls itself by a word of the program's own stands in quotation marks. */
export function safeName(nick: string): string {
  const own = ['you', 'somebody'].includes(nick.normalize('NFKC').trim().toLowerCase());
  return own ? `"${safe(nick)}"` : safe(nick);
}
