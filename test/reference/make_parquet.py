"""Small parquet files as data sets have them, and the rows in them: one for each kind of row, with the compressions and encodings in use.

Made with: Python 3.11, pyarrow 26.0.1.
Usage: python make_parquet.py
"""

import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

OUT = pathlib.Path(__file__).parent / "parquet"

MESSAGE = pa.struct([("content", pa.string()), ("role", pa.string())])
TURNS = [[{"content": f"What is {i} and {i}?", "role": "user"}, {"content": f"{2 * i} – é 漢", "role": "assistant"}] for i in range(12)]

# name: (columns, what the writer is told)
FILES = {
    # as `datasets` pushes to the hub, with a column that is no part of a row
    "messages-snappy": ({"messages": pa.array(TURNS, pa.list_(MESSAGE)), "id": pa.array(range(12), pa.int64())}, {"compression": "snappy"}),
    "instruction-zstd": (
        {
            "instruction": pa.array([f"Add {i}." for i in range(9)]),
            "input": pa.array([None if i % 3 == 0 else f"to {i}" for i in range(9)]),
            "output": pa.array([str(2 * i) for i in range(9)]),
            "text": pa.array(["whole"] * 9),
        },
        {"compression": "zstd"},
    ),
    "text-groups": ({"text": pa.array([f"row {i} " + "word " * (i % 7) for i in range(700)])}, {"compression": "gzip", "row_group_size": 600}),
    "completion-v2": (
        {"prompt": pa.array(["a", "b", "c"] * 5), "completion": pa.array([f"{i}" for i in range(15)])},
        {"compression": "brotli", "data_page_version": "2.0", "use_dictionary": False, "column_encoding": {"prompt": "DELTA_BYTE_ARRAY", "completion": "DELTA_LENGTH_BYTE_ARRAY"}},
    ),
    "tokens-plain": (
        {
            "input_ids": pa.array([[1, 2, 3 + i] for i in range(5)], pa.list_(pa.int64())),
            "labels": pa.array([[-100, 2, 3 + i] for i in range(5)], pa.list_(pa.int32())),
        },
        {"compression": "none"},
    ),
    "text-lz4": ({"text": pa.array(["one", "two"], pa.large_string())}, {"compression": "lz4"}),
    "columns": ({"question": pa.array(["q"]), "answer": pa.array(["a"])}, {}),
}


def main():
    OUT.mkdir(exist_ok=True)
    rows = []
    for name, (columns, told) in FILES.items():
        table = pa.table(columns)
        pq.write_table(table, OUT / f"{name}.parquet", **told)
        rows.append(json.dumps([name, table.to_pylist()], ensure_ascii=False, separators=(",", ":")) + "\n")
        print(name, table.num_rows, "rows", (OUT / f"{name}.parquet").stat().st_size, "bytes")
    (OUT / "rows.jsonl").write_text("".join(rows))


main()
