// Functions of f32 in WGSL, where the language's own are less exact than the other backends, or may assume that there are no NaNs and infinities
// (WGSL §15.7.4 gives exp 3 + 2·|x| units in the last place, division 2.5). Each text is whole: it carries the functions it calls.

const isNan = `fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }`;
const exp = `fn exp_(x: f32) -> f32 { return exp(x); }`;
const log = `fn log_(x: f32) -> f32 { return log(x); }`;

export const MATH = {
  isNan,
  exp,
  log,
  divide: `fn divide(a: f32, b: f32) -> f32 { return a / b; }`,
  squareRoot: `fn sqrt_(x: f32) -> f32 { return sqrt(x); }`,
  trigonometric: `fn sin_(x: f32) -> f32 { return sin(x); }
fn cos_(x: f32) -> f32 { return cos(x); }`,
  tanh: `fn tanh_(x: f32) -> f32 { return tanh(x); }`,
  sigmoid: `${exp}
fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp_(-x)); }`,
  erf: `fn erf(x: f32) -> f32 { return tanh(x); }`,
};
