import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench_ground import HERE, written_notice  # noqa: E402

SEMEL = pathlib.Path(os.environ.get("SEMEL_BINARIES", "nowhere")) / "semel"


@unittest.skipUnless(SEMEL.exists(), "SEMEL_BINARIES has no semel")
class Notices(unittest.TestCase):
    def test_nothing_has_to_be_accepted_before_their_approval(self):
        for texts in (HERE / "notices").iterdir():
            with self.subTest(texts.name), tempfile.TemporaryDirectory() as folder:
                notice = written_notice(pathlib.Path(folder) / "notice", texts)
                said = subprocess.run([SEMEL, "notice", "check", notice, "--json"], capture_output=True, text=True)
                self.assertEqual(json.loads(said.stdout)["problems"], [])


if __name__ == "__main__":
    unittest.main()
