import { html, type SVGTemplateResult, svg, type TemplateResult } from 'lit';

const icon = (shape: SVGTemplateResult): TemplateResult =>
  html`<svg class="i" viewBox="0 0 24 24" aria-hidden="true">${shape}</svg>`;

export const icons = {
  add: icon(svg`<path d="M12 5v14M5 12h14"/>`),
  group: icon(
    svg`<circle cx="9" cy="8.5" r="3.2"/><path d="M3 19c.4-3.400 2.700-5.200 6-5.200s5.600 1.800 6 5.200M15.500 5.700a3 3 0 0 1 0 5.600M17.300 14.300c2.100.6 3.400 2.200 3.700 4.700"/>`,
  ),
  more: icon(svg`<path d="M6 12h.01M12 12h.01M18 12h.01" stroke-width="3"/>`),
  settings: icon(
    svg`<path d="M4 7h9M19 7h1M4 17h1M11 17h9"/><circle cx="16" cy="7" r="2.6"/><circle cx="8" cy="17" r="2.6"/>`,
  ),
  back: icon(svg`<path d="M15 5l-7 7 7 7"/>`),
  close: icon(svg`<path d="M6 6l12 12M18 6L6 18"/>`),
  send: icon(svg`<path d="M12 19V5M5.5 11.5L12 5l6.5 6.5"/>`),
  down: icon(svg`<path d="M12 5v14M5.5 12.5L12 19l6.5-6.5"/>`),
  info: icon(svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 8v.01"/>`),
  show: icon(
    svg`<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"/><circle cx="12" cy="12" r="2.8"/>`,
  ),
  hide: icon(
    svg`<path d="M4 4l16 16M9.5 5.9A9 9 0 0 1 12 5.500c6 0 9.5 6.5 9.5 6.500a17 17 0 0 1-3 3.700M6 7.600A16 16 0 0 0 2.5 12s3.5 6.5 9.5 6.500a9 9 0 0 0 4-.9"/>`,
  ),
  verified: icon(
    svg`<path d="M12 3l7 2.600v5.400c0 4.6-2.9 8-7 10-4.1-2-7-5.4-7-10V5.600z"/><path d="M8.8 12l2.3 2.3 4.2-4.6"/>`,
  ),
  unverified: icon(svg`<path d="M12 3l7 2.6v5.4c0 4.6-2.9 8-7 10-4.1-2-7-5.4-7-10V5.6z"/><path d="M9.2 12h5.6"/>`),
  changed: icon(svg`<path d="M12 4L2.8 19.500h18.400z"/><path d="M12 10v4.500M12 17v.01"/>`),
  queued: icon(svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 7.500V12l3 2"/>`),
  held: icon(svg`<path d="M4 12.500h4l1.5 2.500h5l1.500-2.500h4M4 12.500L6.500 6h11L20 12.500V18H4z"/>`),
  sent: icon(svg`<path d="M4 12h14M12.500 6l6 6-6 6"/>`),
  delivered: icon(svg`<path d="M5 12.500l4.5 4.500L19 7"/>`),
  read: icon(svg`<path d="M2 12.500L6.5 17 15 7.500M11.5 15.500L13 17 22 7.5"/>`),
  expired: icon(svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 7.500v5M12 16v.01"/>`),
  received: icon(svg`<path d="M12 5v14"/>`),
  /** A spoken word: a bubble whose sound wave draws an M. */
  mark: html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
    <path
      fill="currentColor"
      d="M11 3.500h10a8 8 0 0 1 8 8v6a8 8 0 0 1-8 8h-8.500L6.2 29.300c-.7.4-1.5-.2-1.3-1L5.8 24A8 8 0 0 1 3 17.500v-6a8 8 0 0 1 8-8z"
    />
    <path
      stroke="var(--mark-ink, var(--side))"
      stroke-width="2.3"
      stroke-linecap="round"
      d="M9.2 9.500v10M12.6 11.700v5.600M16 13.600v1.800M19.4 11.700v5.600M22.8 9.500v10"
    />
  </svg>`,
} as const;
