import { css } from 'lit';

export const settingsStyles = css`
  h3 {
    margin-bottom: var(--s2);
    font-size: var(--body);
  }
  section + section,
  molva-change-passphrase + section {
    padding-top: var(--s4);
    border-top: 1px solid var(--line);
  }
  form.line {
    display: flex;
    gap: var(--s2);
  }
  .choices {
    display: flex;
    gap: 3px;
    padding: 3px;
    border-radius: var(--round);
    background: var(--hover);
  }
  .choices label {
    position: relative;
    flex: 1;
    margin: 0;
    font-weight: 400;
  }
  .choices input {
    position: absolute;
    inset: 0;
    margin: 0;
    opacity: 0;
    cursor: pointer;
  }
  .choices span {
    display: block;
    padding: 7px var(--s2);
    border-radius: 8px;
    text-align: center;
  }
  .choices input:checked + span {
    background: var(--raised);
    box-shadow: var(--lift);
    font-weight: 600;
  }
  .choices input:focus-visible + span {
    outline: 2px solid var(--accent);
  }
  .switch {
    display: flex;
    gap: var(--s3);
    align-items: center;
  }
  .switch input {
    position: relative;
    flex: none;
    width: 40px;
    height: 24px;
    margin: 0;
    border-radius: 12px;
    background: var(--edge);
    appearance: none;
    transition: background var(--ease);
  }
  .switch input::after {
    position: absolute;
    top: 3px;
    left: 3px;
    width: 18px;
    height: 18px;
    border-radius: 50%;
    background: #fff;
    content: '';
    transition: transform var(--ease);
  }
  .switch input:checked {
    background: var(--accent-fill);
  }
  .switch input:checked::after {
    transform: translateX(16px);
  }
  .switch input:disabled {
    opacity: 0.5;
  }
  dl {
    display: grid;
    gap: var(--s2);
  }
  dl div {
    display: flex;
    gap: var(--s4);
    justify-content: space-between;
  }
  dt {
    flex: none;
    color: var(--ink-soft);
  }
  dd {
    text-align: right;
    white-space: pre-line;
    overflow-wrap: anywhere;
  }
  dd.good {
    color: var(--good);
    font-weight: 600;
  }
  dd.lacking {
    color: var(--warn);
    font-weight: 600;
  }
  .note {
    margin-top: var(--s2);
  }
  .note-row {
    margin-top: var(--s3);
  }
  .end {
    padding: var(--s4);
    border: 1px solid var(--danger);
    border-radius: var(--round);
  }
  [role='status']:empty {
    display: none;
  }
`;
