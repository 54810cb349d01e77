import { css } from 'lit';

export const bundleStyles = css`
  .under {
    display: block;
    margin-left: var(--s5);
  }
  progress {
    display: block;
    width: 100%;
    height: 8px;
    margin: var(--s2) 0;
    border: 0;
    border-radius: 4px;
    background: var(--line);
    overflow: hidden;
    appearance: none;
  }
  progress::-webkit-progress-bar {
    background: var(--line);
  }
  progress::-webkit-progress-value {
    border-radius: 4px;
    background: var(--accent);
  }
  progress::-moz-progress-bar {
    background: var(--accent);
  }
  /* Its own box is painted in every browser; the parts inside differ. */
  progress:indeterminate {
    background: linear-gradient(90deg, transparent 30%, var(--accent) 30% 70%, transparent 70%) var(--line);
    background-size: 200% 100%;
    animation: along 1.6s linear infinite;
  }
  progress:indeterminate::-webkit-progress-bar,
  progress:indeterminate::-webkit-progress-value {
    background: none;
  }
  @keyframes along {
    from {
      background-position: 150% 0;
    }
    to {
      background-position: -50% 0;
    }
  }
  .result li {
    padding-left: var(--s4);
  }
  .result li::before {
    margin: 0 var(--s2) 0 calc(-1 * var(--s4));
    content: '·';
    font-weight: 700;
  }
  [role='status']:empty {
    display: none;
  }
`;
