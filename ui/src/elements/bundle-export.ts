import { html, LitElement, nothing } from 'lit';
import type { Contact } from '../../../core/commands/schema.ts';
import { type Exported, exportBundle } from '../bundle.io.ts';
import { ModelController } from '../controllers/model-controller.ts';
import { TransferController } from '../controllers/transfer-controller.ts';
import type { Model } from '../model.ts';
import { bundleStyles } from '../styles/bundle.ts';
import { choiceStyles } from '../styles/choice.ts';
import { shared } from '../styles/shared.ts';
import { acceptedIn } from '../talks.ts';
import { text } from '../text.ts';
import { renderProgress } from './bundle-progress.ts';

/** Writes what waits for all or some contacts into a file. Fires `dismiss`; closing it stops the writing. */
export class BundleExport extends LitElement {
  static override properties = {
    model: { attribute: false },
    all: { state: true },
    chosen: { state: true },
    exported: { state: true },
  };
  static override styles = [shared, choiceStyles, bundleStyles];
  declare model: Model;
  declare private all: boolean;
  /** Contact ids. */
  declare private chosen: ReadonlySet<string>;
  declare private exported: Exported | undefined;
  #transfer = new TransferController(this);

  constructor() {
    super();
    this.all = true;
    this.chosen = new Set();
    new ModelController(this);
  }

  async #export(): Promise<void> {
    this.exported = undefined;
    // Nobody chosen would stand for everybody.
    if (!this.all && this.chosen.size === 0) return this.#transfer.refuse(text.bundle.none);
    const who = this.all ? [] : [...this.chosen];
    this.exported = await this.#transfer.run(signal => exportBundle(this.model, who, signal), text.bundle.cut);
  }

  #choose(event: CustomEvent<ReadonlySet<string>>): void {
    this.chosen = event.detail;
    this.#transfer.refuse('');
  }

  protected override render() {
    const { bundle } = text;
    const { busy, error } = this.#transfer;
    const nobody = this.#contacts.length === 0;
    return html`<molva-dialog heading=${bundle.exportTitle} @dismiss=${() => this.dispatchEvent(new Event('dismiss'))}>
      <div class="stack">
        <p class="soft">${nobody ? bundle.noContacts : bundle.exportHint}</p>
        ${busy ? renderProgress(bundle.exporting, this.#progress, null) : this.#renderChoice()}
        <p class="error small" role="alert">${error}</p>
        <div role="status">${this.exported === undefined ? nothing : this.#renderDone(this.exported)}</div>
        <div class="row">
          ${
            busy
              ? html`<button @click=${() => this.#transfer.stop()}>${bundle.stop}</button>`
              : html`<button class="primary" ?disabled=${nobody} @click=${this.#export}>${bundle.export}</button>`
          }
        </div>
      </div>
    </molva-dialog>`;
  }

  /** Nothing can wait for who has not accepted yet. */
  get #contacts(): readonly Contact[] {
    return acceptedIn(this.model.state);
  }

  get #progress() {
    const { bundle } = this.model.state;
    return bundle?.direction === 'export' ? bundle : null;
  }

  #renderChoice() {
    const { bundle } = text;
    const radio = (all: boolean, words: string) => html`<label class="one"
      ><input
        type="radio"
        name="whom"
        .checked=${this.all === all}
        @change=${() => {
          this.all = all;
        }}
      /><span>${words}</span></label
    >`;
    return html`<fieldset>
      <legend>${bundle.forWhom}</legend>
      ${radio(true, bundle.all)} ${radio(false, bundle.chosen)}
      ${
        this.all
          ? nothing
          : html`<molva-people-choice
              class="under"
              .people=${this.#contacts}
              .chosen=${this.chosen}
              label=${bundle.chosen}
              @choose=${this.#choose}
            ></molva-people-choice>`
      }
    </fieldset>`;
  }

  #renderDone(exported: Exported) {
    const { bundle } = text;
    const words = exported.envelopes === 0 ? bundle.exportedEmpty : bundle.exported;
    return html`<div class="note">
      <p>${words}</p>
      ${exported.kind === 'download' ? html`<p class="small">${bundle.downloaded(exported.name)}</p>` : nothing}
    </div>`;
  }
}
