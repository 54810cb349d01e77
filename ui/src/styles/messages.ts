import { css } from 'lit';

export const messageStyles = css`
  :host {
    position: relative;
    display: block;
    min-height: 0;
  }
  .scroll {
    height: 100%;
    overflow-y: auto;
    /* The list keeps the reader's place itself; two anchors would fight. */
    overflow-anchor: none;
    overscroll-behavior: contain;
  }
  .scroll:focus-visible {
    outline-offset: -3px;
  }
  ol {
    display: flex;
    flex-direction: column;
    justify-content: flex-end;
    min-height: 100%;
    max-width: 860px;
    margin: 0 auto;
    padding: var(--s4) var(--s5);
    list-style: none;
  }
  li {
    display: flex;
    flex-direction: column;
    align-items: flex-start;
    padding-top: var(--s3);
  }
  li.together {
    padding-top: 3px;
  }
  li.own {
    align-items: flex-end;
  }
  li.edge {
    align-items: center;
    padding: var(--s2) 0;
    text-align: center;
  }
  li.notice {
    align-items: center;
  }
  .change {
    display: flex;
    gap: var(--s2);
    align-items: center;
    max-width: 520px;
    padding: 2px var(--s3);
    color: var(--ink-soft);
    text-align: center;
  }
  .change.grave {
    padding: var(--s2) var(--s4);
    border-radius: var(--round);
    background: var(--warn-soft);
    color: var(--warn);
    text-align: start;
  }
  .from {
    display: block;
    margin-bottom: 1px;
    font-size: var(--small);
    font-weight: 600;
  }
  .stranger {
    color: var(--ink-soft);
    font-weight: 400;
  }
  .bubble {
    display: flow-root;
    max-width: min(76%, 560px);
    padding: var(--s2) var(--s3);
    border-radius: var(--round-large);
    border-bottom-left-radius: 5px;
    background: var(--other);
    box-shadow: var(--lift);
  }
  .own .bubble {
    border-bottom-left-radius: var(--round-large);
    border-bottom-right-radius: 5px;
    background: var(--own);
    color: var(--own-ink);
  }
  .text {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    unicode-bidi: isolate;
  }
  .link {
    border-radius: 3px;
    color: var(--accent);
    text-decoration: underline;
    text-decoration-thickness: 1px;
    text-underline-offset: 2px;
    unicode-bidi: isolate;
    cursor: pointer;
  }
  .own .link {
    color: inherit;
  }
  .link:hover {
    text-decoration-thickness: 2px;
  }
  .own .link:focus-visible {
    outline-color: currentColor;
  }
  .meta {
    display: inline-flex;
    gap: 3px;
    align-items: center;
    float: right;
    margin: 5px 0 -4px var(--s3);
    color: var(--ink-soft);
    font-size: 0.75rem;
    font-variant-numeric: tabular-nums;
    line-height: 1.4;
  }
  .own .meta {
    color: var(--own-soft);
  }
  .state svg.i {
    display: block;
    width: 15px;
    height: 15px;
    stroke-width: 2.2;
  }
  .state[data-state='read'] {
    color: #fff;
  }
  .bubble.expired {
    background: var(--danger-soft);
    color: var(--ink);
  }
  .expired .meta {
    color: var(--danger);
  }
  .again {
    color: var(--danger);
  }
  .again button {
    min-height: 28px;
    padding: 2px var(--s2);
  }
  .waiting {
    padding-top: 3px;
  }
  .late {
    font-style: italic;
  }
  .gap {
    align-self: center;
    max-width: 440px;
    margin: var(--s2) 0 var(--s4);
    padding: var(--s2) var(--s4);
    border: 1px dashed var(--warn);
    border-radius: var(--round);
    color: var(--warn);
    text-align: center;
  }
  .day,
  .fresh {
    display: flex;
    gap: var(--s3);
    align-items: center;
    align-self: stretch;
    justify-content: center;
    padding: var(--s3) 0 var(--s4);
    color: var(--ink-soft);
    font-size: var(--small);
    font-weight: 600;
  }
  .fresh {
    color: var(--accent);
  }
  .fresh::before,
  .fresh::after {
    flex: 1;
    height: 1px;
    background: currentColor;
    opacity: 0.4;
    content: '';
  }
  .jump {
    position: absolute;
    right: var(--s5);
    bottom: var(--s3);
    display: grid;
    place-items: center;
    width: 42px;
    height: 42px;
    padding: 0;
    border: 1px solid var(--line);
    border-radius: 50%;
    background: var(--raised);
    box-shadow: var(--float);
    color: var(--accent);
  }
  .jump .count {
    position: absolute;
    top: -7px;
    right: -5px;
    min-width: 20px;
    padding: 0 5px;
    border-radius: 10px;
    background: var(--accent-fill);
    color: var(--on-accent);
    font-size: 0.75rem;
    line-height: 20px;
  }
  @media (max-width: 719px) {
    ol {
      padding: var(--s3);
    }
    .bubble {
      max-width: 86%;
    }
  }
`;
