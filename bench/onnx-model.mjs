// An ONNX model of one node, as protobuf bytes: just enough of the format for a matrix product to be timed.
const varint = (n) => (n > 127 ? [(n & 127) | 128, ...varint(Math.floor(n / 128))] : [n]);
const message = (field, bytes) => [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes];
const text = (field, value) => message(field, [...new TextEncoder().encode(value)]);
const integer = (field, value) => [...varint(field << 3), ...varint(value)];

/** Element types of the format. */
export const TYPES = { float32: 1, uint8: 2 };

const valueInfo = ({ name, type, dims }) => {
  const shape = dims.flatMap((d) => message(1, integer(1, d)));
  return [...text(1, name), ...message(2, message(1, [...integer(1, TYPES[type]), ...message(2, shape)]))];
};

/** @param node { op, domain, attributes: integers by name }; inputs and outputs: { name, type, dims } */
export function onnxModel({ op, domain = "", attributes = {} }, inputs, output) {
  const attribute = ([name, value]) => message(5, [...text(1, name), ...integer(3, value), ...integer(20, 2)]);
  const node = [
    ...inputs.flatMap(({ name }) => text(1, name)),
    ...text(2, output.name),
    ...text(4, op),
    ...Object.entries(attributes).flatMap(attribute),
    ...(domain ? text(7, domain) : []),
  ];
  const graph = [
    ...message(1, node),
    ...text(2, "g"),
    ...inputs.flatMap((i) => message(11, valueInfo(i))),
    ...message(12, valueInfo(output)),
  ];
  const opset = (name, version) => message(8, [...text(1, name), ...integer(2, version)]);
  return Uint8Array.from([...integer(1, 8), ...message(7, graph), ...opset("", 17), ...opset("com.microsoft", 1)]);
}
