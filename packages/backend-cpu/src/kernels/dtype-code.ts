// The numbers by which kernels know a dtype of floats; simd/half.as.ts has the same ones.
export const DTYPE_CODE = { f32: 0, bf16: 1, f16: 2 } as const;

export type FloatDType = keyof typeof DTYPE_CODE;
