import { css } from 'lit';

export const sidebarStyles = css`
  :host {
    display: grid;
    grid-template-rows: auto minmax(0, 1fr) auto auto;
    height: 100%;
    background: var(--side);
  }
  header {
    display: flex;
    align-items: center;
    gap: var(--s2);
    height: 64px;
    padding: 0 var(--s3) 0 20px;
  }
  h1 {
    flex: 1;
    font-size: var(--title);
    letter-spacing: -0.02em;
  }
  .mark {
    width: 30px;
    height: 30px;
    color: var(--accent);
  }
  h2 {
    display: flex;
    gap: var(--s2);
    align-items: center;
    padding: var(--s3) var(--s4) var(--s2) 20px;
    font-size: var(--small);
    font-weight: 600;
    color: var(--ink-soft);
  }
  .scroll {
    overflow-y: auto;
    overscroll-behavior: contain;
  }
  ul {
    display: grid;
    gap: 2px;
    padding: 2px var(--s2) var(--s2);
  }
  button.item {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    grid-template-areas: 'avatar who time' 'avatar last badge';
    column-gap: var(--s3);
    align-items: center;
    width: 100%;
    padding: 10px var(--s3);
    border-radius: 14px;
    background: none;
    text-align: left;
    font-weight: 400;
  }
  button.item:hover:not(:disabled) {
    background: var(--hover);
  }
  button.item[aria-current],
  button.item[aria-current]:hover:not(:disabled) {
    background: var(--accent-soft);
    --around: var(--accent-soft);
  }
  button.item:focus-visible {
    outline-offset: -2px;
  }
  button.item molva-avatar {
    grid-area: avatar;
  }
  .who {
    grid-area: who;
    display: flex;
    gap: var(--s1);
    align-items: center;
    min-width: 0;
    font-weight: 600;
  }
  time {
    grid-area: time;
  }
  .last {
    grid-area: last;
    font-size: 0.875rem;
  }
  .badge {
    grid-area: badge;
    justify-self: end;
    min-width: 21px;
    padding: 0 6px;
    border-radius: 11px;
    background: var(--accent-fill);
    color: var(--on-accent);
    font-size: 0.75rem;
    font-weight: 700;
    line-height: 21px;
    text-align: center;
  }
  .empty {
    display: grid;
    gap: var(--s2);
    justify-items: start;
    padding: var(--s4);
  }
  .empty button {
    margin-top: var(--s2);
  }
  /* Above the list's end, so that a sync of a moment moves nothing. */
  .sync {
    position: relative;
    height: 0;
  }
  .sync span {
    position: absolute;
    inset: auto 0 0;
    padding: var(--s2) 20px;
    border-top: 1px solid var(--line);
    background: var(--side);
  }
  footer {
    grid-row: 4;
    display: flex;
    gap: var(--s3);
    align-items: center;
    padding: var(--s3) var(--s3) var(--s3) 20px;
    border-top: 1px solid var(--line);
    --avatar: 36px;
  }
  .me {
    display: grid;
    flex: 1;
    min-width: 0;
  }
  .me bdi {
    font-weight: 600;
  }
`;
