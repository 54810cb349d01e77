import { css } from 'lit';

/** The panel beside a conversation. */
export const detailsStyles = css`
  :host {
    display: block;
    min-height: 0;
    border-left: 1px solid var(--line);
    background: var(--side);
  }
  aside {
    height: 100%;
    padding: 0 var(--s4) var(--s5);
    overflow-y: auto;
  }
  header {
    display: flex;
    align-items: center;
    justify-content: space-between;
    height: 64px;
  }
  h2 {
    font-size: var(--large);
  }
  h3 {
    margin-bottom: var(--s2);
    font-size: var(--body);
  }
  .face {
    display: grid;
    gap: var(--s2);
    justify-items: center;
    text-align: center;
    --avatar: 76px;
  }
  .face bdi {
    font-size: var(--title);
    font-weight: 600;
    line-height: 1.2;
  }
  section {
    padding-top: var(--s4);
    border-top: 1px solid var(--line);
  }
  molva-qr-code {
    margin: var(--s2) auto 0;
    --qr: 232px;
  }
  form {
    display: flex;
    gap: var(--s2);
  }
  button.quiet {
    padding-inline: 0;
    min-height: 32px;
  }
  button.quiet:hover:not(:disabled) {
    background: none;
    text-decoration: underline;
  }
  .error {
    margin-top: var(--s1);
  }
  .ask {
    display: grid;
    gap: var(--s3);
  }
`;
