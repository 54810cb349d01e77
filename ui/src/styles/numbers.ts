import { css } from 'lit';

/** A safety number: twelve groups of five digits. */
export const numbers = css`
  .numbers {
    display: grid;
    grid-template-columns: repeat(4, auto);
    gap: var(--s1) var(--s3);
    justify-content: space-between;
    margin: var(--s3) 0 var(--s2);
    font-size: 1rem;
  }
`;
