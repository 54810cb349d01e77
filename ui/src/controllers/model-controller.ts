import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Model } from '../model.ts';

/** Renders its host again whenever the model's state changes. */
export class ModelController implements ReactiveController {
  #host: ReactiveControllerHost & { model: Model };
  #unsubscribe: () => void = () => {};

  constructor(host: ReactiveControllerHost & { model: Model }) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    // The model is a property set by the parent before the first render, not yet at construction.
    queueMicrotask(() => {
      this.#unsubscribe();
      this.#unsubscribe = this.#host.model?.subscribe(() => this.#host.requestUpdate()) ?? (() => {});
    });
  }

  hostDisconnected(): void {
    this.#unsubscribe();
  }
}
