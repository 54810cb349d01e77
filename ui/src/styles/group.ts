import { css } from 'lit';

/** The members of a group, and the ways to add some. */
export const groupStyles = css`
  .member {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto auto;
    column-gap: var(--s3);
    align-items: center;
    padding: var(--s1) 0;
    --avatar: 36px;
  }
  .name {
    display: flex;
    gap: var(--s1);
    font-weight: 600;
    white-space: nowrap;
  }
  .name .soft {
    font-weight: 400;
  }
  .role {
    padding: 1px var(--s2);
    border-radius: 9px;
    background: var(--accent-soft);
    color: var(--accent);
    font-weight: 600;
  }
  .more {
    grid-column: 4;
  }
  .warned {
    display: flex;
    grid-column: 2 / -1;
    gap: var(--s1);
    align-items: start;
    color: var(--warn);
    font-weight: 600;
  }
  .warned svg.i {
    width: 17px;
    height: 17px;
    margin-top: 1px;
  }
  .actions {
    display: grid;
    grid-column: 1 / -1;
    gap: var(--s2);
    margin: var(--s1) 0 var(--s2);
    padding: var(--s3);
    border-radius: var(--round);
    background: var(--raised);
  }
  .actions .numbers {
    margin: 0;
    font-size: 0.9375rem;
  }
  .titled {
    display: flex;
    align-items: baseline;
    justify-content: space-between;
    margin-bottom: var(--s2);
  }
  .hint {
    margin-bottom: var(--s2);
  }
  .made {
    margin-top: var(--s3);
  }
  h3 .soft {
    font-weight: 400;
  }
  form + section {
    padding-top: var(--s5);
    border-top: 1px solid var(--line);
  }
`;
