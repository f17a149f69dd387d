/** Training that cannot go on: loss or gradients are NaN or infinite. Parameters are as after the last good step. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
  constructor(
    readonly step: number,
    readonly loss: number,
    readonly gradNorm: number,
    what: string,
  ) {
    const advice =
      step === 1
        ? "Nothing was trained yet, so it is the model or the data: try qlora eval on the model, and look at the data with qlora inspect."
        : "The last good state is kept. Try a lower --lr, a longer --warmup, or look at the data with qlora inspect.";
    super(`step ${step}: ${what} (loss ${loss}, gradient norm ${gradNorm}). ${advice}`);
  }
}
