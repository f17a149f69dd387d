// The only list of case tables, by the file of their ops; conformance.test.ts runs it, and test/laws/structure.test.ts holds it against the files.
import type { CaseTable } from "../conformance.ts";
import { accumulateCases } from "./accumulate.cases.ts";
import { activationCases } from "./activation.cases.ts";
import { adamwCases } from "./adamw.cases.ts";
import { adamw8bitCases } from "./adamw-8bit.cases.ts";
import { attentionCases } from "./attention.cases.ts";
import { castCases } from "./cast.cases.ts";
import { concatCases } from "./concat.cases.ts";
import { crossEntropyCases } from "./cross-entropy.cases.ts";
import { dropoutCases } from "./dropout.cases.ts";
import { elementwiseCases } from "./elementwise.cases.ts";
import { gatedActivationCases } from "./gated-activation.cases.ts";
import { gatherCases } from "./gather.cases.ts";
import { indexSelectCases } from "./index-select.cases.ts";
import { layerNormCases } from "./layer-norm.cases.ts";
import { linearCrossEntropyCases } from "./linear-cross-entropy.cases.ts";
import { matmulCases } from "./matmul.cases.ts";
import { permuteCases } from "./permute.cases.ts";
import { qmatmulCases } from "./qmatmul.cases.ts";
import { quantizeCases } from "./quantize.cases.ts";
import { reduceCases } from "./reduce.cases.ts";
import { reshapeCases } from "./reshape.cases.ts";
import { rmsNormCases } from "./rms-norm.cases.ts";
import { ropeCases } from "./rope.cases.ts";
import { sliceCases } from "./slice.cases.ts";
import { softmaxCases } from "./softmax.cases.ts";
import { writeRowsCases } from "./write-rows.cases.ts";

export const CASES = {
  accumulate: accumulateCases,
  activation: activationCases,
  adamw: adamwCases,
  "adamw-8bit": adamw8bitCases,
  attention: attentionCases,
  cast: castCases,
  concat: concatCases,
  "cross-entropy": crossEntropyCases,
  dropout: dropoutCases,
  elementwise: elementwiseCases,
  "gated-activation": gatedActivationCases,
  gather: gatherCases,
  "index-select": indexSelectCases,
  "layer-norm": layerNormCases,
  "linear-cross-entropy": linearCrossEntropyCases,
  matmul: matmulCases,
  permute: permuteCases,
  qmatmul: qmatmulCases,
  quantize: quantizeCases,
  reduce: reduceCases,
  reshape: reshapeCases,
  "rms-norm": rmsNormCases,
  rope: ropeCases,
  slice: sliceCases,
  softmax: softmaxCases,
  "write-rows": writeRowsCases,
} satisfies Record<string, CaseTable>;
