import { html } from 'lit';
import { size } from '../format.ts';
import type { BundleProgress } from '../state.ts';
import { text } from '../text.ts';

/** @param whole bytes of the file, or null while nobody knows */
export function renderProgress(title: string, progress: BundleProgress | null, whole: number | null) {
  const { bytes, envelopes } = progress ?? { bytes: 0, envelopes: 0 };
  const { soFar, soFarOf } = text.bundle;
  const words =
    whole === null ? soFar(envelopes, size(bytes)) : soFarOf(envelopes, size(Math.min(bytes, whole)), size(whole));
  const bar =
    whole === null
      ? html`<progress aria-label=${title}></progress>`
      : html`<progress aria-label=${title} max=${Math.max(1, whole)} .value=${Math.min(bytes, whole)}></progress>`;
  return html`<div>
    <p class="cut"><bdi>${title}</bdi></p>
    ${bar}
    <p class="small soft">${words}</p>
  </div>`;
}
