// One element a row of n; tasks are rows.

/** y[r] = x[r, index[r]] */
export function gather(y: usize, x: usize, index: usize, n: usize, begin: usize, end: usize): void {
  for (let r = begin; r < end; r++) store<f32>(y + (r << 2), load<f32>(x + (r * n + <usize>load<i32>(index + (r << 2)) << 2)));
}

/** y[r, index[r]] = x[r], zero elsewhere */
export function scatter(y: usize, x: usize, index: usize, n: usize, begin: usize, end: usize): void {
  memory.fill(y + (begin * n << 2), 0, (end - begin) * n << 2);
  for (let r = begin; r < end; r++) store<f32>(y + (r * n + <usize>load<i32>(index + (r << 2)) << 2), load<f32>(x + (r << 2)));
}
