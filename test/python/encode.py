"""Reads {"tokenizer": tokenizer.json, "texts": […], "ids": [[…], …]} from standard input; writes what the tokenizers library makes of them."""

import json
import sys

from tokenizers import Tokenizer

given = json.load(sys.stdin)
tokenizer = Tokenizer.from_str(json.dumps(given["tokenizer"]))
encoded = [tokenizer.encode(text, add_special_tokens=False).ids for text in given["texts"]]
decoded = [tokenizer.decode(ids, skip_special_tokens=False) for ids in encoded + given["ids"]]
json.dump({"encoded": encoded, "decoded": decoded}, sys.stdout)
