import { css, html, LitElement, svg } from 'lit';
import { encodeQR } from 'qr';

/** A QR code as one SVG path, dark on white in either theme, so that every camera reads it. */
export class QrCode extends LitElement {
  static override properties = { value: {}, label: {} };
  declare value: string;
  declare label: string;

  static override styles = css`
    :host {
      display: block;
      width: min(100%, var(--qr, 264px));
    }
    svg {
      display: block;
      width: 100%;
      border-radius: 12px;
      background: #fff;
      shape-rendering: crispEdges;
    }
    path {
      fill: #10181b;
    }
  `;

  protected override render() {
    const rows = encodeQR(this.value, 'raw', { ecc: 'low', border: 3 });
    return html`<svg viewBox="0 0 ${rows.length} ${rows.length}" role="img" aria-label=${this.label}>
      ${svg`<path d=${pathOf(rows)}></path>`}
    </svg>`;
  }
}

function pathOf(rows: readonly (readonly boolean[])[]): string {
  return rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
}
