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
  .warned,
  .actions {
    grid-column: 1 / -1;
  }
  .warned {
    display: flex;
    gap: var(--s2);
    align-items: center;
    color: var(--warn);
    font-weight: 600;
  }
  .actions {
    display: grid;
    gap: var(--s2);
    margin: var(--s1) 0 var(--s2);
    padding: var(--s3);
    border-radius: var(--round);
    background: var(--raised);
  }
  .made {
    margin-top: var(--s3);
  }
  h3 .soft {
    font-weight: 400;
  }
  textarea {
    display: block;
    margin: var(--s3) 0 var(--s2);
    font-family: var(--mono);
    font-size: var(--small);
    resize: none;
    word-break: break-all;
  }
  form + section {
    padding-top: var(--s5);
    border-top: 1px solid var(--line);
  }
  .error {
    color: var(--danger);
  }
  .error:empty {
    display: none;
  }
`;
