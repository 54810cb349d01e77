import { css } from 'lit';

/** The colours by which people and groups are told apart (format.ts, `colourOf`). */
export const people = css`
  .person-0 { --ground: var(--person-0-soft); color: var(--person-0); }
  .person-1 { --ground: var(--person-1-soft); color: var(--person-1); }
  .person-2 { --ground: var(--person-2-soft); color: var(--person-2); }
  .person-3 { --ground: var(--person-3-soft); color: var(--person-3); }
  .person-4 { --ground: var(--person-4-soft); color: var(--person-4); }
  .person-5 { --ground: var(--person-5-soft); color: var(--person-5); }
  .circle { background: var(--ground); }
`;
