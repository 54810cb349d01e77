import { css } from 'lit';

export const conversationStyles = css`
  :host {
    display: block;
    height: 100%;
    min-width: 0;
    min-height: 0;
  }
  .columns {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    grid-template-rows: minmax(0, 1fr);
    height: 100%;
  }
  .with-details {
    grid-template-columns: minmax(0, 1fr) 332px;
  }
  .talk {
    display: flex;
    flex-direction: column;
    min-width: 0;
    height: 100%;
    min-height: 0;
  }
  molva-message-list {
    flex: 1;
  }
  header {
    display: flex;
    gap: var(--s3);
    align-items: center;
    flex: none;
    height: 64px;
    padding: 0 var(--s3) 0 var(--s5);
    border-bottom: 1px solid var(--line);
    background: var(--side);
    --avatar: 38px;
  }
  .back {
    display: none !important;
  }
  .who {
    flex: 1;
    min-width: 0;
  }
  h2 {
    display: flex;
    gap: var(--s2);
    align-items: center;
    font-size: var(--large);
    line-height: 1.3;
  }
  .notice {
    display: flex;
    gap: var(--s3);
    align-items: center;
    justify-content: space-between;
    flex: none;
    margin: var(--s3) var(--s5) 0;
  }
  .notice button {
    flex: none;
  }
  .warn.notice button {
    background: none;
    border-color: currentColor;
    color: inherit;
  }
  .closed.notice {
    display: block;
    margin: 0 var(--s5) var(--s4);
    text-align: center;
  }
  .problem {
    flex: none;
    margin: 0 var(--s5) var(--s2);
  }
  .nothing {
    display: grid;
    place-items: center;
    height: 100%;
    padding: var(--s5);
    text-align: center;
  }
  .nothing h2 {
    justify-content: center;
    margin-bottom: var(--s2);
    font-size: var(--title);
  }
  .nothing div {
    max-width: 22em;
  }
  .nothing .mark {
    width: 52px;
    height: 52px;
    margin-bottom: var(--s3);
    color: var(--accent);
    --mark-ink: var(--page);
  }
  @media (max-width: 979px) {
    .with-details {
      grid-template-columns: minmax(0, 1fr);
    }
    .with-details .talk {
      display: none;
    }
  }
  @media (max-width: 719px) {
    header {
      gap: var(--s2);
      padding: 0 var(--s2);
    }
    .back {
      display: inline-grid !important;
    }
    .notice {
      margin: var(--s2) var(--s3) 0;
      flex-wrap: wrap;
    }
  }
`;
