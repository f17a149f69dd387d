/** What a model knows of an adapter that is on it. */
export interface Attachment {
  /** How much of it there is in what is computed: 1 all of it, 0 none. */
  readonly weight: number;
  /** @throws UsageError for a weight that an adapter of its kind cannot have */
  setWeight(weight: number): void;
  /** Frees what it holds besides layers, which are the model's by then. */
  disposeWhole(): void;
}
