// How long a run of a test is: short in `npm test`; as long as what is promised of it where somebody sets QLORA_TEST_WHOLE, and has the time.

/** @param usual steps in `npm test` @param promised steps with QLORA_TEST_WHOLE set */
export const length = (usual: number, promised: number): number => (process.env.QLORA_TEST_WHOLE ? promised : usual);
