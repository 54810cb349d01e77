import { css } from 'lit';

/** Rows with a box or a button to tick, one a line. */
export const choiceStyles = css`
  label.one {
    display: flex;
    gap: var(--s3);
    align-items: center;
    min-height: 38px;
    margin: 0;
    padding: var(--s1) var(--s2);
    border-radius: var(--round);
    font-weight: 400;
  }
  label.one:hover:not(.cannot) {
    background: var(--hover);
  }
  label.one input {
    flex: none;
    width: 18px;
    height: 18px;
    margin: 0;
    accent-color: var(--accent-fill);
  }
  label.cannot {
    color: var(--ink-soft);
  }
  .who {
    display: grid;
    grid-template-columns: minmax(0, auto) auto minmax(0, 1fr);
    column-gap: var(--s2);
    align-items: center;
    min-width: 0;
  }
  .why {
    grid-column: 1 / -1;
  }
  .people {
    max-height: min(40dvh, 260px);
    overflow-y: auto;
  }
`;
