import { html, LitElement, nothing } from 'lit';
import type { BundleReport } from '../../../core/commands/schema.ts';
import { importBundle } from '../bundle.io.ts';
import { reportWords } from '../bundle-words.ts';
import { ModelController } from '../controllers/model-controller.ts';
import { TransferController } from '../controllers/transfer-controller.ts';
import type { Model } from '../model.ts';
import { bundleStyles } from '../styles/bundle.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';
import { renderProgress } from './bundle-progress.ts';

/** Reads a file that someone carried here, and says what became of it. Fires `dismiss`; closing it stops the reading. */
export class BundleImport extends LitElement {
  static override properties = { model: { attribute: false }, file: { state: true }, report: { state: true } };
  static override styles = [shared, bundleStyles];
  declare model: Model;
  declare private file: File | undefined;
  declare private report: BundleReport | undefined;
  #transfer = new TransferController(this);

  constructor() {
    super();
    new ModelController(this);
  }

  #choose(): void {
    this.renderRoot.querySelector('input')?.click();
  }

  async #chosen(event: Event): Promise<void> {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (file === undefined) return;
    this.file = file;
    this.report = undefined;
    this.report = await this.#transfer.run(signal => importBundle(this.model, file, signal), text.bundle.broken);
    // The same file can be chosen again.
    input.value = '';
  }

  protected override render() {
    const { bundle } = text;
    const { busy, error, stopped } = this.#transfer;
    return html`<molva-dialog heading=${bundle.importTitle} @dismiss=${() => this.dispatchEvent(new Event('dismiss'))}>
      <div class="stack">
        <p class="soft">${bundle.importHint}</p>
        <input hidden type="file" aria-label=${bundle.import} @change=${this.#chosen} />
        ${busy ? this.#renderProgress() : nothing}
        <p class="error small" role="alert">${error}</p>
        <div role="status">${this.report ? renderReport(this.report) : stopped ? html`<p class="note">${bundle.stopped}</p>` : nothing}</div>
        <div class="row">${this.#renderButton()}</div>
      </div>
    </molva-dialog>`;
  }

  #renderProgress() {
    const { bundle } = this.model.state;
    const progress = bundle?.direction === 'import' ? bundle : null;
    return renderProgress(text.bundle.importing(this.file?.name ?? ''), progress, this.file?.size ?? null);
  }

  #renderButton() {
    const { bundle } = text;
    if (this.#transfer.busy) return html`<button @click=${() => this.#transfer.stop()}>${bundle.stop}</button>`;
    const words = this.report === undefined ? bundle.import : bundle.another;
    return html`<button class="primary" @click=${this.#choose}>${words}</button>`;
  }
}

function renderReport(report: BundleReport) {
  const { file, lines } = reportWords(report);
  return html`<div class="note ${report.file === 'complete' ? '' : 'warn'}">
    <p>${file}</p>
    <ul class="result">
      ${lines.map(line => html`<li>${line}</li>`)}
    </ul>
  </div>`;
}
