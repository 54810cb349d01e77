import { html, nothing } from 'lit';
import type { Message } from '../../../core/commands/schema.ts';
import { dayAndTime } from '../format.ts';
import { icons } from '../icons.ts';
import { text } from '../text.ts';

/** Not yet with everyone it is meant for. */
const WAITING: readonly Message['state'][] = ['queued', 'held', 'sent'];

/** How far an own message has come, in words. */
export function stateWords({ state, heldBy, until, reach }: Message): string {
  if (reach?.of === 0) return text.group.alone;
  if (reach !== null && state !== 'queued') return text.group.sent(reach.deliveredTo, reach.of);
  return state === 'held' && until !== null ? text.conversation.held(heldBy, dayAndTime(until)) : text.states[state];
}

export function renderState(message: Message) {
  const { state, reach } = message;
  const words = stateWords(message);
  const title =
    reach !== null ? words : state === 'held' ? `${words}. ${text.stateMeaning.held}` : text.stateMeaning[state];
  const everyone = reach !== null && reach.of > 0 && reach.deliveredTo >= reach.of;
  return html`<span class="state" data-state=${state} title=${title}
    >${icons[everyone ? 'delivered' : state]}<span class="hidden">${words}</span></span
  >`;
}

/** Under the newest own message, while it waits: the same words for the eye. */
export function renderWaiting(message: Message) {
  if (!WAITING.includes(message.state)) return nothing;
  return html`<p class="waiting small soft" aria-hidden="true">${stateWords(message)}</p>`;
}

export function renderLate() {
  const { late, lateMeaning } = text.conversation;
  return html`<span class="late" title=${lateMeaning}>${late} ·</span>`;
}
