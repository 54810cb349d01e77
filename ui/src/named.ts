import { html, type TemplateResult } from 'lit';

const MARK = '\u0000';

/**
 * A sentence of `text` about people, with the names kept apart so that their direction cannot turn the words around
 * them. A sentence may leave names out, or say one twice.
 */
export function named(sentence: (...nicks: string[]) => string, ...nicks: readonly string[]): TemplateResult {
  const words = sentence(...nicks.map((_, i) => `${MARK}${i}${MARK}`)).split(MARK);
  return html`${words.map((part, i) => (i % 2 === 0 ? part : html`<bdi>${nicks[Number(part)]}</bdi>`))}`;
}
