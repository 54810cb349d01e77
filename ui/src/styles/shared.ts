import { css } from 'lit';

/** What every element of the page shares: reset, focus ring, buttons, fields, notes. */
export const shared = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host {
    font-size: var(--body);
  }
  h1,
  h2,
  h3,
  p,
  ul,
  dl,
  dd {
    margin: 0;
    padding: 0;
  }
  ul {
    list-style: none;
  }
  bdi {
    overflow-wrap: anywhere;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  button,
  input,
  textarea {
    font: inherit;
    color: inherit;
  }
  button {
    min-height: 38px;
    padding: var(--s2) var(--s4);
    border: 1px solid transparent;
    border-radius: var(--round);
    background: var(--hover);
    font-weight: 600;
    cursor: pointer;
    transition: background var(--ease);
  }
  button:hover:not(:disabled) {
    background: var(--line);
  }
  button:disabled {
    cursor: default;
    opacity: 0.55;
  }
  button.primary {
    background: var(--accent-fill);
    color: var(--on-accent);
  }
  button.primary:hover:not(:disabled) {
    background: var(--accent-fill-hover);
  }
  button.quiet {
    background: none;
    color: var(--accent);
  }
  button.quiet:hover:not(:disabled) {
    background: var(--accent-soft);
  }
  button.danger {
    background: none;
    border-color: currentColor;
    color: var(--danger);
  }
  button.danger:hover:not(:disabled) {
    background: var(--danger-soft);
  }
  button.icon {
    display: inline-grid;
    place-items: center;
    width: 38px;
    height: 38px;
    padding: 0;
    background: none;
    color: var(--ink-soft);
    flex: none;
  }
  button.icon:hover:not(:disabled) {
    background: var(--hover);
    color: var(--ink);
  }
  svg.i {
    width: 20px;
    height: 20px;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.8;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  label {
    display: block;
    margin-bottom: var(--s1);
    font-weight: 600;
  }
  input:not([type='checkbox'], [type='radio']),
  textarea {
    width: 100%;
    padding: 9px var(--s3);
    border: 1px solid var(--edge);
    border-radius: var(--round);
    background: var(--raised);
  }
  input:focus-visible,
  textarea:focus-visible {
    border-color: var(--accent);
    outline-offset: -1px;
  }
  fieldset {
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend {
    margin-bottom: var(--s1);
    padding: 0;
    font-weight: 600;
  }
  ::placeholder {
    color: var(--ink-soft);
    opacity: 1;
  }
  .soft {
    color: var(--ink-soft);
  }
  .small {
    font-size: var(--small);
  }
  .error {
    color: var(--danger);
    font-weight: 600;
  }
  .error:empty {
    display: none;
  }
  .row {
    display: flex;
    gap: var(--s2);
    align-items: center;
    flex-wrap: wrap;
  }
  .stack {
    display: grid;
    gap: var(--s4);
    align-content: start;
  }
  .note {
    padding: var(--s3) var(--s4);
    border-radius: var(--round);
    background: var(--accent-soft);
  }
  .note.warn {
    background: var(--warn-soft);
    color: var(--warn);
  }
  .note.bad {
    background: var(--danger-soft);
    color: var(--danger);
  }
  .cut {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .digits {
    font-family: var(--mono);
    font-variant-numeric: tabular-nums;
  }
  /* A sync of a moment is not worth a flicker. */
  .sync {
    animation: appear 200ms 400ms backwards;
  }
  @keyframes appear {
    from {
      opacity: 0;
    }
  }
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
      scroll-behavior: auto !important;
    }
  }
`;

/** Circles that spread from a corner: a word passed on. Behind first start, unlock and the empty conversation. */
export const ripples = css`
  .ripples {
    background-image: repeating-radial-gradient(
      circle at -4% 104%,
      transparent 0 70px,
      var(--ripple) 71px 73px,
      transparent 74px 76px
    );
  }
`;
