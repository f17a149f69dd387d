// How many damaged files a test of a parser tries: a few in `npm test`; as many as QLORA_FUZZ_CASES says where somebody looks for what is left.

/** @param usual in `npm test` */
export const fuzzCases = (usual: number): number => Number(process.env.QLORA_FUZZ_CASES ?? usual);

/** Of such a test: a hundred thousand damaged models take a while. */
export const FUZZ_TIMEOUT = 3_600_000;
