import { html, LitElement, nothing } from 'lit';
import { ActionController } from '../controllers/action-controller.ts';
import { ModelController } from '../controllers/model-controller.ts';
import type { Model } from '../model.ts';
import { problemWithNick } from '../nick.ts';
import { settingsStyles } from '../styles/settings.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';
import { THEMES, type Theme } from '../theme.io.ts';
import type { Dialog } from './dialog.ts';

/** Name, appearance, keychain, what protects this computer, the lock, and the end of everything. */
export class Settings extends LitElement {
  static override properties = { model: { attribute: false }, saved: { state: true } };
  static override styles = [shared, settingsStyles];
  declare model: Model;
  declare private saved: boolean;
  #rename = new ActionController(this);
  #keychain = new ActionController(this);
  #close = new ActionController(this);
  #theme = new ActionController(this);

  constructor() {
    super();
    this.saved = false;
    new ModelController(this);
  }

  protected override firstUpdated(): void {
    // What is shown stays as it was if the core does not answer; the banner says so.
    this.model.refreshStatus().catch(() => {});
  }

  async #saveNick(event: Event): Promise<void> {
    event.preventDefault();
    const nick = this.renderRoot.querySelector<HTMLInputElement>('#nick')?.value.trim() ?? '';
    const odd = problemWithNick(nick);
    if (odd !== null) return this.#rename.refuse(odd);
    this.saved = await this.#rename.run(async () => {
      await this.model.call('profile.rename', { nick });
      await this.model.refreshStatus();
    });
  }

  async #choose(theme: Theme): Promise<void> {
    if (await this.#theme.run(() => this.model.changeSettings({ theme }))) return;
    // The mark goes back to what is kept.
    const kept = this.model.state.status?.settings.theme ?? 'auto';
    for (const input of this.renderRoot.querySelectorAll<HTMLInputElement>('input[name=theme]')) {
      input.checked = input.value === kept;
    }
  }

  #setKeychain(event: Event): void {
    const input = event.target as HTMLInputElement;
    const enabled = input.checked;
    void this.#keychain
      .run(() => this.model.call('vault.keychain', { enabled }).then(() => this.model.refreshStatus()))
      .then(done => {
        if (!done) input.checked = !enabled;
      });
  }

  #lock(): void {
    this.renderRoot.querySelector<Dialog>('molva-dialog')?.close();
    void this.#close.run(() => this.model.lock());
  }

  protected override render() {
    return html`<molva-dialog heading=${text.settings.title} @dismiss=${() => this.dispatchEvent(new Event('dismiss'))}>
      <div class="stack">
        ${this.#renderNick()} ${this.#renderTheme()}
        <molva-change-passphrase .model=${this.model}></molva-change-passphrase>
        ${this.#renderKeychain()}
        <section><molva-custody-settings .model=${this.model}></molva-custody-settings></section>
        ${this.#renderCarry()} ${this.#renderProtection()} ${this.#renderNetwork()} ${this.#renderEnd()}
      </div>
    </molva-dialog>`;
  }

  #renderNick() {
    return html`<section>
      <label for="nick">${text.settings.nick}</label>
      <form class="line" @submit=${this.#saveNick}>
        <input id="nick" maxlength="64" autocomplete="off" dir="auto" .value=${this.model.state.status?.profile?.nick ?? ''} />
        <button ?disabled=${this.#rename.busy}>${text.save}</button>
      </form>
      <p class="small" role="status">${this.saved ? text.settings.saved : ''}</p>
      <p class="error small" role="alert">${this.#rename.error}</p>
    </section>`;
  }

  #renderTheme() {
    const chosen = this.model.state.status?.settings.theme ?? 'auto';
    return html`<fieldset>
      <legend>${text.settings.theme}</legend>
      <div class="choices">
        ${THEMES.map(
          theme =>
            html`<label
              ><input
                type="radio"
                name="theme"
                value=${theme}
                .checked=${theme === chosen}
                @change=${() => this.#choose(theme)}
              /><span>${text.settings.themes[theme]}</span></label
            >`,
        )}
      </div>
      <p class="error small" role="alert">${this.#theme.error}</p>
    </fieldset>`;
  }

  #renderKeychain() {
    const keychain = this.model.state.status?.keychain;
    const available = keychain?.available === true;
    return html`<section>
      <label class="switch">
        <input
          type="checkbox"
          role="switch"
          aria-describedby="keychain-hint"
          .checked=${keychain?.enabled === true}
          ?disabled=${!available}
          @change=${this.#setKeychain}
        /><span>${text.settings.keychain}</span>
      </label>
      <p class="small soft" id="keychain-hint">
        ${available ? text.settings.keychainHint : (keychain?.reason ?? text.settings.keychainMissing)}
      </p>
      <p class="error small" role="alert">${this.#keychain.error}</p>
    </section>`;
  }

  #renderCarry() {
    const { settings } = text;
    const show = (dialog: 'export' | 'import') =>
      this.dispatchEvent(new CustomEvent('show-dialog', { detail: dialog, bubbles: true, composed: true }));
    return html`<section>
      <h3>${settings.carry}</h3>
      <p class="small soft">${settings.carryHint}</p>
      <div class="row note-row">
        <button @click=${() => show('export')}>${settings.carryOut}</button>
        <button @click=${() => show('import')}>${settings.carryIn}</button>
      </div>
    </section>`;
  }

  #renderProtection() {
    const hardening = this.model.state.status?.hardening;
    if (hardening === undefined) return nothing;
    const { settings } = text;
    return html`<section>
      <h3>${settings.protection}</h3>
      <dl>
        ${fact(settings.coreDumps, settings.coreDumpStates[hardening.coreDumps], hardening.coreDumps === 'off')}
        ${fact(settings.memory, settings.memoryStates[hardening.memory], hardening.memory === 'locked')}
        ${fact(settings.addon, settings.addonStates[hardening.addon], hardening.addon === 'loaded')}
      </dl>
      ${hardening.missing.map(sentence => html`<p class="note warn small">${sentence}</p>`)}
    </section>`;
  }

  #renderNetwork() {
    const { status } = this.model.state;
    if (status === null) return nothing;
    const { settings } = text;
    return html`<section>
      <h3>${settings.network}</h3>
      <dl>
        ${fact(settings.peers, String(status.network.peers))}
        ${fact(settings.addresses, status.network.addresses.join('\n') || settings.noAddresses)}
        ${fact(settings.folder, status.dataDirectory)} ${fact(settings.version, status.version)}
      </dl>
    </section>`;
  }

  #renderEnd() {
    const { settings } = text;
    const { busy, error } = this.#close;
    return html`<section class="stack">
      <div><button ?disabled=${busy} @click=${this.#lock}>${settings.lock}</button></div>
      <div class="end stack">
        <div>
          <h3>${settings.wipe}</h3>
          <p class="small">${settings.wipeText}</p>
        </div>
        <molva-hold-button
          label=${busy ? settings.wiping : settings.wipeHold}
          holdingLabel=${settings.wipeHolding}
          ?disabled=${busy}
          @held=${() => this.#close.run(() => this.model.wipe())}
        ></molva-hold-button>
        <p class="error small" role="alert">${error}</p>
      </div>
    </section>`;
  }
}

function fact(name: string, value: string, good?: boolean) {
  const mark = good === undefined ? '' : good ? 'good' : 'lacking';
  return html`<div><dt>${name}</dt><dd class=${mark}>${value}</dd></div>`;
}
