import { css } from 'lit';

/** The screens before the conversations: one card in the middle. */
export const gate = css`
  .gate {
    display: grid;
    place-items: center;
    height: 100dvh;
    padding: var(--s4);
    overflow-y: auto;
  }
  .card {
    width: min(424px, 100%);
    padding: var(--s6);
    border: 1px solid var(--line);
    border-radius: 22px;
    background: var(--side);
    box-shadow: var(--float);
  }
  .mark {
    width: 44px;
    height: 44px;
    margin-left: -3px;
    color: var(--accent);
  }
  h1 {
    font-size: var(--display);
    line-height: 1.15;
    letter-spacing: -0.02em;
  }
  .lead {
    margin-top: var(--s2);
  }
  .hint {
    margin-top: var(--s1);
  }
  .error {
    color: var(--danger);
    font-weight: 600;
  }
  .error:empty {
    display: none;
  }
  button.primary {
    min-height: 46px;
  }
  @media (max-width: 719px) {
    .gate {
      padding: 0;
      place-items: stretch;
    }
    .card {
      width: 100%;
      padding: var(--s5);
      border: 0;
      border-radius: 0;
      background: none;
      box-shadow: none;
      align-content: center;
      min-height: 100%;
    }
  }
`;
