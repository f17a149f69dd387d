/** Training that cannot go on: loss or gradients are NaN or infinite. Parameters are as after the last good step. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
  constructor(
    readonly step: number,
    readonly loss: number,
    readonly gradNorm: number,
    what: string,
  ) {
    super(
      `step ${step}: ${what} (loss ${loss}, gradient norm ${gradNorm}). The last good state is kept. Try a lower --lr, a longer --warmup, or look at the data with qlora inspect.`,
    );
  }
}
