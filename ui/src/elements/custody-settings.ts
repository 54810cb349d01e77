import { html, LitElement, nothing } from 'lit';
import type { Custody } from '../../../core/commands/schema.ts';
import { ActionController } from '../controllers/action-controller.ts';
import { size } from '../format.ts';
import type { Model } from '../model.ts';
import { settingsStyles } from '../styles/settings.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';

/** Whether messages for others are held here, and how much that is now. */
export class CustodySettings extends LitElement {
  static override properties = { model: { attribute: false }, custody: { state: true } };
  static override styles = [shared, settingsStyles];
  declare model: Model;
  declare private custody: Custody | undefined;
  #change = new ActionController(this);

  protected override firstUpdated(): void {
    void this.#change.run(async () => {
      this.custody = await this.model.call('custody.get', {});
    });
  }

  async #set(event: Event): Promise<void> {
    const input = event.target as HTMLInputElement;
    const holds = input.checked;
    const done = await this.#change.run(async () => {
      this.custody = await this.model.call('custody.set', { holds });
    });
    if (!done) input.checked = !holds;
  }

  protected override render() {
    const { settings } = text;
    const { custody } = this;
    return html`<label class="switch">
        <input
          type="checkbox"
          role="switch"
          aria-describedby="custody-hint"
          .checked=${custody?.holds === true}
          ?disabled=${custody === undefined || custody.helper}
          @change=${this.#set}
        /><span>${settings.custody}</span>
      </label>
      <p class="small soft" id="custody-hint">${custody?.helper ? settings.custodyHelper : settings.custodyHint}</p>
      ${custody === undefined ? nothing : html`<p class="small" role="status">${standing(custody)}</p>`}
      <p class="error small" role="alert">${this.#change.error}</p>`;
  }
}

function standing({ holds, helper, envelopes, bytes, limitBytes }: Custody): string {
  const now = text.settings.custodyNow(envelopes, size(bytes), size(limitBytes));
  return holds || helper || envelopes === 0 ? now : `${now} ${text.settings.custodyOff}`;
}
