import { html, type TemplateResult } from 'lit';

const PLACE = '\u0000';

/** A sentence of `text` about someone, with the name kept apart so that its direction cannot turn the words around it. */
export function named(sentence: (nick: string) => string, nick: string): TemplateResult {
  const [before = '', after = ''] = sentence(PLACE).split(PLACE);
  return html`${before}<bdi>${nick}</bdi>${after}`;
}
