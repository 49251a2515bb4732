"""A program that prints how it was started."""

import json
import os
import sys

if __name__ == "__main__":
    seen = {"environment": dict(os.environ), "arguments": sys.argv[1:], "preloaded": "colorsys" in sys.modules}
    print(json.dumps(seen))
